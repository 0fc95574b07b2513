"""Replays of what changes something at a platform, and of exported recordings: nothing leaves, nothing stays."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from flask import Flask
from sqlalchemy import func, select

from patchbay import assets, runs
from patchbay.errors import Conflict, Invalid
from patchbay.models import (
    Base,
    Connection,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
)
from patchbay.runs import upkeep
from patchbay.wire import replay, tape
from tests.journeys.pictures import design
from tests.stage import Queue, Sandbox, Walker

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.json"))
Do = Callable[..., Run]


@pytest.fixture
def do(context: None, ada: User, connect: Walker, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Do:
    """Connect, and carry an action out on one of Ada's mockups."""
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)

    def carry_out(integration: str, operation: str, **values: object) -> Run:
        connect(ada, integration)
        run = runs.start(ada.id, integration, operation, values, Trigger.API)
        queue.run_all()
        fresh_view()
        return runs.get(ada.id, run.id)

    return carry_out


@pytest.fixture
def picture(context: None, ada: User) -> str:
    return assets.link(assets.upload(ada.id, design(), "design.png"))


def rows() -> dict[str, int]:
    """How many rows each table has."""
    return {
        mapper.local_table.description: db.session.scalar(select(func.count()).select_from(mapper.class_)) or 0
        for mapper in Base.registry.mappers
    }


def test_a_replay_of_an_action_sends_nothing_and_writes_nothing(do: Do, picture: str, sandbox: Sandbox) -> None:
    run = do("dropbox", "upload_file", mockupUrls=[picture])
    before, sent = rows(), len(sandbox.received("dropbox"))

    first, second = replay.replay(run), replay.replay(run)

    assert run.status is RunStatus.SUCCEEDED
    assert (first.differs, first.error) == (None, "")
    assert first == second
    assert (rows(), len(sandbox.received("dropbox"))) == (before, sent)


def test_what_was_sent_twice_and_looked_up_is_replayed_in_the_same_way(do: Do, picture: str, sandbox: Sandbox) -> None:
    sandbox.fault("facebook", "lost_response", match="POST graph.facebook.com/v26.0/104857201948377/photos")

    run = do("facebook", "publish_photo", mockupUrls=[picture], caption="Fern tee", altText=None, draft=False)

    assert run.status is RunStatus.SUCCEEDED
    assert replay.replay(run).differs is None


def test_what_was_tried_again_because_it_was_never_heard_is_replayed_in_the_same_way(do: Do, picture: str) -> None:
    run = do("facebook", "publish_photo", mockupUrls=[picture], caption="Fern tee", altText=None, draft=False)
    recording = tape.of_run(run)
    place, post = next((place, take) for place, take in enumerate(recording.takes) if take.method == "POST")
    refused, again = msgspec.structs.replace(post, status=None), msgspec.structs.replace(post, attempt=2)
    before, behind = recording.takes[:place], recording.takes[place + 1 :]

    retried = msgspec.structs.replace(recording, takes=[*before, refused, again, *behind])
    given_up = msgspec.structs.replace(recording, takes=[*before, refused], error="NetworkError")

    outcomes = [replay.play(retried), replay.play(given_up)]
    assert [(outcome.differs, outcome.error) for outcome in outcomes] == [(None, ""), (None, "NetworkError")]


def test_a_failed_action_fails_in_the_same_way(do: Do, sandbox: Sandbox) -> None:
    sandbox.fault("google-drive", "malformed", match="POST www.googleapis.com/drive/v3/files")

    run = do("google-drive", "create_folder", folderName="Mockups")

    outcome = replay.replay(run)
    assert run.status is RunStatus.FAILED
    assert (outcome.differs, outcome.error) == (None, run.error_kind)


def test_what_changes_something_is_not_done_again_to_be_recorded(do: Do, ada: User) -> None:
    run = do("google-drive", "create_folder", folderName="Mockups")

    with pytest.raises(Conflict):
        upkeep.record(ada.id, run.id, Trigger.PAGE)


def test_an_exported_recording_has_no_secrets_and_comes_to_the_same_end(do: Do, picture: str) -> None:
    run = do("facebook", "publish_photo", mockupUrls=[picture], caption="Fern tee", altText=None, draft=False)
    token = db.session.get_one(Connection, run.connection_id).access_token or "none"

    file = tape.to_file(tape.of_run(run))

    answers = b"".join(take.content for take in tape.of_file(file).takes)
    assert token.encode() not in file + answers
    assert b"EAAP" not in file + answers
    assert picture.rpartition("/")[2].encode() not in file
    assert replay.play(tape.of_file(file)).differs is None


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"integration": 1}'])
def test_what_is_no_recording_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(Invalid):
        tape.of_file(content)


@pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: file.stem)
def test_what_was_recorded_once_comes_to_the_same_end_today(file: Path) -> None:
    recording = tape.of_file(file.read_bytes())

    outcome = replay.play(recording)

    assert (outcome.differs, outcome.requests) == (None, len(recording.takes))


def test_a_recording_whose_answer_is_another_ends_otherwise() -> None:
    recording = tape.of_file(RECORDINGS[0].read_bytes())
    refused = [msgspec.structs.replace(take, status=403, body="") for take in recording.takes]

    outcome = replay.play(msgspec.structs.replace(recording, takes=refused))

    assert str(outcome.differs).startswith("It ended with ")


def test_a_command_exports_a_recording_and_replays_the_file(app: Flask, do: Do, tmp_path: Path) -> None:
    run, commands = do("google-drive", "create_folder", folderName="Mockups"), app.test_cli_runner()
    file = tmp_path / "run.json"

    file.write_text(commands.invoke(args=["runs", "export", run.id]).stdout, encoding="utf-8")
    replayed = commands.invoke(args=["runs", "replay", str(file)])
    unknown = commands.invoke(args=["runs", "replay", "run_unknown"])

    assert (replayed.exit_code, "success" in replayed.stderr) == (0, True)
    assert unknown.exit_code != 0
    assert "There is no run run_unknown" in unknown.stderr

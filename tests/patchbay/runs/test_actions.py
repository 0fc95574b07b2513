"""Actions that keep pictures, give out addresses, wait for days or fail in odd words, and what a kill does to them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import delete, func, select

from jobs.tick import tick
from patchbay import assets, providers, runs
from patchbay.errors import Invalid, NotFound, PartlyDone, PatchbayError, PlatformError, RateLimited
from patchbay.models import (
    Asset,
    Connection,
    Receipt,
    ReceiptState,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    transaction,
)
from patchbay.runs.lease import LENGTH
from patchbay.spec import Action, Api, Field, Kind
from tests.stage import FrozenClock, Queue, linked_to_dropbox

pytestmark = pytest.mark.usefixtures("context")

Act = Callable[[Api, Mapping[str, Any]], Mapping[str, Any]]


class Killed(BaseException):
    """What a SIGKILL comes to: nothing behind this point happens."""


def png(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def connection(app: object, ada: User) -> Connection:
    """Ada's connection to a platform that does what a test tells it to."""
    return linked_to_dropbox(ada)


@pytest.fixture
def asked(connection: Connection, ada: User, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Ask for an action that does what the function says."""
    pictures = Field("mockupUrls", "Pictures", Kind.PICTURES, required=False)

    def ask(act: Act, *addresses: str) -> Run:
        action = Action("act", "Act", act, (pictures,), doing="acting")
        provider = replace(providers.get("dropbox"), settings=(), operations=(action,))
        monkeypatch.setitem(providers._by_key(), "dropbox", provider)
        return runs.start(ada.id, "dropbox", "act", {"mockupUrls": list(addresses)}, Trigger.API)

    return ask


def carried_out(run: Run, user: User, queue: Queue) -> Run:
    queue.run_all()
    fresh_view()
    return runs.get(user.id, run.id)


def result_of(run: Run) -> Mapping[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def gallery(user: User) -> list[Asset]:
    return assets.page(user.id, kind=None, cursor=None, limit=100)[0]


# -- pictures that are kept


def test_what_is_kept_is_a_design_of_the_owner(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    run = carried_out(asked(lambda api, _: api.keep(png(), "Frame 1.png")), ada, queue)

    (design,) = gallery(ada)
    found = result_of(run)
    assert (found["id"], found["name"], found["width"], found["height"]) == (design.id, "Frame 1.png", 40, 30)
    assert assets.opened(found["url"].rpartition("/")[2].rpartition(".")[0])[0].id == design.id


def test_a_name_is_kept_once_in_a_run(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    def act(api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        names = ("a.png", "b.png", "a.png")
        return {"ids": [api.keep(png(), name)["id"] for name in names]}

    first, other, again = result_of(carried_out(asked(act), ada, queue))["ids"]

    assert first == again != other
    assert len(gallery(ada)) == 2


def test_another_run_keeps_a_picture_of_its_own(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    ids = [result_of(carried_out(asked(lambda api, _: api.keep(png(), "a.png")), ada, queue))["id"] for _ in range(2)]

    assert len(set(ids)) == 2


@pytest.mark.parametrize("killed_at", ["before it is kept", "after it is kept", "after it is used"])
def test_a_kill_makes_no_second_picture(
    asked: Callable[..., Run],
    ada: User,
    queue: Queue,
    frozen_clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    killed_at: str,
) -> None:
    upload, kills = assets.upload, [killed_at]

    def die_once(moment: str) -> None:
        if moment in kills:
            kills.remove(moment)
            raise Killed

    def upload_or_die(*told: Any, **named: Any) -> Asset:
        die_once("before it is kept")
        made = upload(*told, **named)
        die_once("after it is kept")
        return made

    def act(api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        found = api.keep(png(), "a.png")
        die_once("after it is used")
        return found

    monkeypatch.setattr(assets, "upload", upload_or_die)
    run = asked(act)
    with pytest.raises(Killed):
        queue.run_all()
    frozen_clock.advance(seconds=LENGTH.total_seconds() + 1)
    tick()

    (design,) = [*gallery(ada)] if result_of(carried_out(run, ada, queue)) else []
    assert design.name == "a.png"


@pytest.mark.parametrize("content", [b"", b"<html>", png()[:50]])
def test_what_is_no_picture_is_not_kept(asked: Callable[..., Run], ada: User, queue: Queue, content: bytes) -> None:
    run = carried_out(asked(lambda api, _: api.keep(content, "a.png")), ada, queue)

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "Invalid")
    assert gallery(ada) == []


# -- addresses that are given out


def test_a_picture_is_given_out_as_feeds_take_it(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    link = assets.link(assets.upload(ada.id, png(), "a.png"))

    def act(api: Api, values: Mapping[str, Any]) -> Mapping[str, Any]:
        (address,) = values["mockupUrls"]
        return {"plain": api.public_address(address), "feed": api.public_address(address, "image/jpeg")}

    found = result_of(carried_out(asked(act, link), ada, queue))

    assert found["plain"].endswith(".png")
    assert found["feed"].endswith(".jpeg")


def test_a_run_with_the_picture_of_another_is_not_begun(asked: Callable[..., Run], cleo: User) -> None:
    theirs = assets.link(assets.upload(cleo.id, png(), "a.png"))

    with pytest.raises(Invalid):
        asked(lambda api, values: {"read": api.picture(values["mockupUrls"][0]).size_bytes}, theirs)


# -- waits of days


def test_a_run_that_waited_for_days_still_has_its_pictures(
    asked: Callable[..., Run], ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    link = assets.link(assets.upload(ada.id, png(), "a.png"))
    waits = [RateLimited("no", retry_at=frozen_clock.now() + timedelta(days=9), provider="Dropbox")]

    def act(api: Api, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if waits:
            raise waits.pop()
        (address,) = values["mockupUrls"]
        return {"bytes": api.picture(address).size_bytes, "address": api.public_address(address, "image/jpeg")}

    run = carried_out(asked(act, link), ada, queue)
    status, resumes_at = run.status, run.resumes_at
    frozen_clock.advance(days=9)
    tick()

    found = result_of(carried_out(run, ada, queue))
    assert (status, resumes_at) == (RunStatus.WAITING, frozen_clock.now())
    assert found["bytes"] > 0
    assert assets.opened(found["address"].rpartition("/")[2].rpartition(".")[0])[0].user_id == ada.id


def test_a_run_that_failed_days_ago_can_be_tried_again(
    asked: Callable[..., Run], ada: User, queue: Queue, frozen_clock: FrozenClock
) -> None:
    link = assets.link(assets.upload(ada.id, png(), "a.png"))
    faults = [PlatformError("no", provider="Dropbox")]

    def act(api: Api, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if faults:
            raise faults.pop()
        return {"bytes": api.picture(values["mockupUrls"][0]).size_bytes}

    failed = carried_out(asked(act, link), ada, queue)
    frozen_clock.advance(days=9)

    again = runs.retry(ada.id, failed.id)

    assert result_of(carried_out(again, ada, queue))["bytes"] > 0


# -- failures in odd words


ODD = "no\x00 \ud800 \udfff \U0001f98a"


@pytest.mark.parametrize(
    "error",
    [
        PlatformError(ODD, provider="Dropbox"),
        PlatformError("no", sentence="%(reason)s", provider="Dropbox", reason=ODD),
        PartlyDone(ODD, done=ODD, reason=ODD, provider="Dropbox"),
        PlatformError("x" * 100_000, provider="Dropbox"),
        NotFound(ODD),
        ValueError(ODD),
    ],
)
def test_a_run_ends_whatever_a_platform_says(
    asked: Callable[..., Run], ada: User, queue: Queue, error: Exception
) -> None:
    def act(_api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        raise error

    run = carried_out(asked(act), ada, queue)

    told = f"{run.error_detail} {' '.join(run.error_params.values())}"
    assert run.status is RunStatus.FAILED
    assert "\x00" not in told
    assert told.encode()  # as a page would
    if isinstance(error, PatchbayError):
        assert run.error_kind == error.kind


def test_odd_words_in_a_log_line_stop_nothing(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    def act(api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        api.log("%(name)s was skipped.", name=ODD)
        return {"done": True}

    run = carried_out(asked(act), ada, queue)

    assert result_of(run)["done"]
    told = [str(text) for line in runs.logs(run.id) for text in line.params.values()]
    assert "no\ufffd ? ? \U0001f98a" in told


def test_odd_words_in_a_result_stop_nothing(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    run = carried_out(asked(lambda _api, _values: {"name": "a\x00b"}), ada, queue)

    assert result_of(run)["name"] == "a\x00b"


# -- what is done once


def test_an_action_tried_again_repeats_nothing_that_was_done(
    asked: Callable[..., Run], ada: User, queue: Queue
) -> None:
    made: list[str] = []
    faults = [PlatformError("no", provider="Dropbox")]

    def make() -> str:
        made.append("a thing")
        return f"thing {len(made)}"

    def act(api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        thing = api.once("thing", make)
        noted = api.remember("note", lambda: len(made))
        if faults:
            raise faults.pop()
        return {"thing": thing, "noted": noted}

    failed = carried_out(asked(act), ada, queue)
    again = carried_out(runs.retry(ada.id, failed.id), ada, queue)

    assert failed.status is RunStatus.FAILED
    assert result_of(again) == {"thing": "thing 1", "noted": 1}


def test_an_action_that_has_ended_well_is_done_anew_when_it_is_asked_for_again(
    asked: Callable[..., Run], ada: User, queue: Queue
) -> None:
    numbers = iter((1, 2))

    def act(api: Api, _values: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"count": api.once("thing", lambda: next(numbers))}

    done = carried_out(asked(act), ada, queue)
    again = carried_out(runs.retry(ada.id, done.id), ada, queue)

    assert [result_of(run)["count"] for run in (done, again)] == [1, 2]


def test_a_run_that_is_deleted_takes_its_receipts_along(asked: Callable[..., Run], ada: User, queue: Queue) -> None:
    run = carried_out(asked(lambda api, _values: {"thing": api.once("thing", lambda: "a thing")}), ada, queue)
    kept = db.session.scalars(select(Receipt).where(Receipt.run_id == run.id)).all()

    with transaction() as session:
        session.execute(delete(Run).where(Run.id == run.id))

    assert [(receipt.name, receipt.state, receipt.answer) for receipt in kept] == [
        ("thing", ReceiptState.DONE, "a thing")
    ]
    assert db.session.scalar(select(func.count()).select_from(Receipt)) == 0

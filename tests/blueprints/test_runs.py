"""The runs list, one run, its polled parts and its event stream."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import streams
from patchbay import clock, runs
from patchbay.models import LogLevel, Run, RunLog, RunStatus, Trigger, User, transaction
from patchbay.settings import Settings
from tests.blueprints.pages import HTMX, htmx_post, path_of, post, text_of
from tests.stage import Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def run(app: Flask, ada: User, connect: Walker) -> Run:
    """An import of Ada's that was asked for and not taken up yet."""
    connect(ada, "shopify", shop="demo-shop")
    return start(app, ada)


def start(app: Flask, user: User) -> Run:
    """Ask for an import."""
    with in_context(app):
        return runs.start(user.id, "shopify", "import_products", {}, Trigger.PAGE)


def change(app: Flask, run: Run, **values: Any) -> None:
    """Let the row say something else."""
    with in_context(app), transaction() as session:
        row = session.get_one(Run, run.id)
        for name, value in values.items():
            setattr(row, name, value)


def add_lines(app: Flask, run: Run, count: int, level: LogLevel = LogLevel.INFO) -> None:
    """Let the run say something."""
    with in_context(app), transaction() as session:
        session.add_all(
            RunLog(run_id=run.id, at=clock.now(), level=level, message=f"{level.value} line {n}.", params={})
            for n in range(count)
        )


def stream_of(client: FlaskClient, run: Run, **headers: str) -> str:
    """All that the run's stream says until it ends."""
    with client.get(f"/runs/{run.id}/events", headers=headers) as answer:
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.get_data(as_text=True)


def test_the_list_shows_ones_own_runs_and_filters_them(
    app: Flask, client: FlaskClient, token: str, run: Run, queue: Queue, cleo: User, login: Login
) -> None:
    queue.run_all()
    stranger = app.test_client()
    login(stranger, cleo)

    assert "Import products" in text_of(client.get("/runs"))
    assert "12 items" in text_of(client.get("/runs?status=succeeded&integration=shopify"))
    assert "No runs like that." in text_of(client.get("/runs?status=failed"))
    assert "No syncs yet." in text_of(stranger.get("/runs"))


def test_load_more_brings_the_next_fifty_and_no_run_twice(
    app: Flask, client: FlaskClient, token: str, run: Run, ada: User
) -> None:
    for _ in range(60):
        change(app, run, status=RunStatus.SUCCEEDED, open_key=None)
        run = start(app, ada)
    first = client.get("/runs").get_data(as_text=True)
    more = first[first.index('id="load-more" href="') :].split('"')[3].replace("&amp;", "&")

    second = client.get(more, headers=HTMX).get_data(as_text=True)

    ids = [part.split('"')[0] for part in (first + second).split('<tr id="')[1:]]
    rows = [row for row in ids if row.startswith("run-")]
    assert len(rows) == len(set(rows)) == 61
    assert "<html" not in second
    assert "autofocus" in second


def test_anothers_run_is_not_found(app: Flask, client: FlaskClient, run: Run, cleo: User, login: Login) -> None:
    token = login(client, cleo)

    paths = ("", "/card", "/events")
    assert [client.get(f"/runs/{run.id}{path}").status_code for path in paths] == [404, 404, 404]
    assert post(client, f"/runs/{run.id}/cancel", token).status_code == 404


def test_a_poll_gets_nothing_until_something_changed(app: Flask, client: FlaskClient, token: str, run: Run) -> None:
    known = f"/runs/{run.id}/card?v={run.version}"

    before = client.get(known, headers=HTMX)
    change(app, run, status=RunStatus.RUNNING, progress_done=3, progress_total=12, version=run.version + 1)
    after = client.get(known, headers=HTMX)

    assert before.status_code == 204
    assert after.status_code == 200
    assert f"v={run.version + 1}" in after.get_data(as_text=True)
    assert "3 of 12" in text_of(after)


def test_polling_ends_with_the_run_and_a_toast_says_so(client: FlaskClient, token: str, run: Run, queue: Queue) -> None:
    queue.run_all()

    card = client.get(f"/runs/{run.id}/card?v=1", headers=HTMX)

    assert "hx-trigger" not in card.get_data(as_text=True)
    assert "Shopify is synced: 12 items." in text_of(card)


@pytest.mark.parametrize(("age_s", "every"), [(0, "every 2s"), (60, "every 5s"), (600, "every 15s")])
def test_the_older_the_run_the_rarer_the_poll(
    app: Flask, client: FlaskClient, token: str, run: Run, age_s: int, every: str
) -> None:
    change(app, run, created_at=clock.now() - timedelta(seconds=age_s))

    assert every in client.get(f"/runs/{run.id}").get_data(as_text=True)
    assert every in client.get("/integrations").get_data(as_text=True)


def test_a_failed_run_says_why_and_offers_another_try(
    client: FlaskClient, token: str, run: Run, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "malformed", times=0)
    queue.run_all()
    sandbox.clear_faults("shopify")

    page = client.get(f"/runs/{run.id}")
    retried = post(client, f"/runs/{run.id}/retry", token)
    queue.run_all()

    assert "Shopify reported a problem" in text_of(page)
    assert "API_ERROR" in text_of(page)
    assert "Try again" in text_of(page)
    assert path_of(retried) != f"/runs/{run.id}"
    assert "Succeeded" in text_of(client.get(path_of(retried)))


def test_cancel_answers_with_the_part_that_asked(client: FlaskClient, token: str, run: Run) -> None:
    status = htmx_post(client, f"/runs/{run.id}/cancel", token)
    card = htmx_post(client, f"/runs/{run.id}/cancel", token, on="card")
    page = post(client, f"/runs/{run.id}/cancel", token)

    assert f'id="run-{run.id}"' in status.get_data(as_text=True)
    assert "Cancelled" in text_of(status)
    assert 'id="card-shopify"' in card.get_data(as_text=True)
    assert path_of(page) == f"/runs/{run.id}"


def test_a_long_log_shows_its_end_and_the_way_back(app: Flask, client: FlaskClient, token: str, run: Run) -> None:
    add_lines(app, run, 450)

    page = client.get(f"/runs/{run.id}").get_data(as_text=True)
    earlier = re.search(r'href="([^"]+)">Earlier lines', page)
    assert earlier is not None
    before = client.get(unescape(earlier[1])).get_data(as_text=True)

    assert page.count('<li id="line-') == 200
    assert "line 449." in page
    assert "line 249." in before
    assert "hx-sse:connect" not in before


def test_the_log_can_be_narrowed_to_a_level(app: Flask, client: FlaskClient, token: str, run: Run) -> None:
    add_lines(app, run, 2)
    add_lines(app, run, 1, LogLevel.ERROR)

    page = client.get(f"/runs/{run.id}?level=error")

    assert "error line 0." in text_of(page)
    assert "info line" not in text_of(page)


def test_the_stream_sends_every_line_once_and_says_done(
    client: FlaskClient, token: str, run: Run, queue: Queue
) -> None:
    queue.run_all()

    stream = stream_of(client, run)

    assert [stream.count(words) for words in ("Started.", "12 of 12 saved.", "Finished.")] == [1, 1, 1]
    assert stream.endswith("event: done\ndata: done\n\n")


def test_a_dropped_stream_goes_on_behind_the_last_line(client: FlaskClient, token: str, run: Run, queue: Queue) -> None:
    queue.run_all()
    whole = stream_of(client, run)
    first = whole.split("id: ")[1].split("\n")[0]

    rest = stream_of(client, run, **{"Last-Event-ID": first})

    assert "Started." not in rest
    assert "Finished." in rest


def test_a_line_with_line_breaks_and_markup_stays_one_message_of_text(
    app: Flask, client: FlaskClient, token: str, run: Run
) -> None:
    with in_context(app), transaction() as session:
        session.add(
            RunLog(
                run_id=run.id, at=clock.now(), level=LogLevel.INFO, message="%(said)s",
                params={"said": "<b>bold</b>\n\nevent: done\ndata: x"},
            )
        )  # fmt: skip
    change(app, run, status=RunStatus.SUCCEEDED, open_key=None)

    stream = stream_of(client, run)

    assert "<b>bold" not in stream
    assert stream.count("\nevent: done") == 1


def test_above_the_cap_the_same_address_answers_with_a_part_that_polls(
    app_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings], ada: User, login: Login,
    connect: Walker,
) -> None:  # fmt: skip
    connect(ada, "shopify", shop="demo-shop")
    app = app_for(settings_for(WEB_THREADS="4"))
    client = app.test_client()
    login(client, ada)
    run = start(app, ada)
    held = client.get(f"/runs/{run.id}/events")

    second = client.get(f"/runs/{run.id}/events")
    held.close()
    third = client.get(f"/runs/{run.id}/events")
    third.close()

    assert held.mimetype == third.mimetype == "text/event-stream"
    assert (second.status_code, second.mimetype) == (200, "text/html")
    assert "every 3s" in second.get_data(as_text=True)


def test_a_stream_ends_after_its_time_without_saying_done(
    client: FlaskClient, token: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_S", 0.05)
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.02)

    stream = stream_of(client, run)

    assert "event: done" not in stream


def test_a_quiet_stream_sends_comments(
    client: FlaskClient, token: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_S", 0.2)
    monkeypatch.setattr(streams, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(streams, "COMMENT_EVERY_S", 0.05)

    stream = stream_of(client, run)

    assert stream.count(": still here") >= 2

"""The health pages: every connection with its state, its reason and one button, for its owner alone."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from blueprints.shown.figures import length, line_of, share
from patchbay import alerts, clock, runs, schedules
from patchbay.health import Hour
from patchbay.health.calls import hour_of
from patchbay.models import (
    AlertKind,
    Connection,
    ConnectionState,
    Contact,
    Outcome,
    Overlap,
    Repeat,
    Run,
    RunStatus,
    Schedule,
    Span,
    Statistic,
    Trigger,
    User,
    WaitReason,
    db,
    new_id,
    transaction,
)
from tests.blueprints.pages import HTMX, path_of, post, text_of
from tests.stage import FrozenClock, Queue, Walker, count_answer, in_context, sign_in

DASHBOARD = "/health-dashboard"


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    return connect(ada, "shopify", shop="demo-shop")


def plant_calls(app: Flask, connection: Connection, outcomes: dict[Outcome, int], *, hours_ago: int = 1) -> None:
    at = hour_of(clock.now()) - timedelta(hours=hours_ago)
    with in_context(app), transaction() as session:
        for outcome, count in outcomes.items():
            session.add(
                Statistic(
                    connection_id=connection.id, operation="import_products", span=Span.HOUR, starts_at=at,
                    outcome=outcome, bucket=16, user_id=connection.user_id, count=count,
                )
            )  # fmt: skip


def plant_run(app: Flask, connection: Connection, status: RunStatus, **more: object) -> str:
    run = Run(
        id=new_id("run"), user_id=connection.user_id, connection_id=connection.id, status=status,
        integration_id=connection.integration_id, operation="import_products", stream="products",
        trigger=Trigger.API, created_at=clock.now(), **more,
    )  # fmt: skip
    with in_context(app), transaction() as session:
        session.add(run)
    return run.id


def plant_contact(app: Flask, connection: Connection, **moments: object) -> None:
    with in_context(app), transaction() as session:
        key = {"connection_id": connection.id, "operation": "import_products", "user_id": connection.user_id}
        session.add(Contact(**key, **moments))


def row_of(page: str, key: str) -> str:
    found = re.search(rf'<tr id="health-{key}">.*?</tr>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_without_connections_the_page_leads_to_the_integrations(client: FlaskClient, ada: User) -> None:
    sign_in(client, ada)

    page = client.get(DASHBOARD)

    assert page.status_code == 200
    assert "Nothing is connected yet." in text_of(page)


def test_a_connection_that_works_says_so_with_its_figures(
    app: Flask, client: FlaskClient, ada: User, shop: Connection
) -> None:
    plant_calls(app, shop, {Outcome.OK: 1995, Outcome.PASSING: 5})
    plant_contact(app, shop, answered_at=clock.now(), changed_at=clock.now() - timedelta(days=3))
    sign_in(client, ada)

    page = client.get(DASHBOARD)

    row = row_of(page.get_data(as_text=True), "shopify")
    assert "Working" in row
    assert "99.7%" in row
    assert "Last contact:" in row
    assert "3 days ago" in row
    assert "Nothing to do" in row


def test_targets_stand_beside_the_figures(app: Flask, client: FlaskClient, ada: User, shop: Connection) -> None:
    plant_calls(app, shop, {Outcome.OK: 985, Outcome.OURS: 15})
    sign_in(client, ada)

    text = text_of(client.get(DASHBOARD))

    assert "Availability 100% on target Target: above 99.9%" in text
    assert "Failed calls 1.5% off target Target: under 1%" in text
    assert "Target: under 2 s" in text


@pytest.mark.parametrize("address", [DASHBOARD, "/integrations/shopify/health"])
def test_a_platform_that_works_and_calls_that_fail_do_not_contradict_each_other(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, address: str
) -> None:
    plant_calls(app, shop, {Outcome.OWNERS: 4})
    sign_in(client, ada)

    text = text_of(client.get(address))

    assert "Availability 100% on target Target: above 99.9% Calls at which the platform worked, even if" in text
    assert "Failed calls 100% off target Target: under 1% 4 yours to mend" in text


def test_a_platform_that_does_not_work_makes_both_figures_worse(
    app: Flask, client: FlaskClient, ada: User, shop: Connection
) -> None:
    plant_calls(app, shop, {Outcome.OK: 6, Outcome.PASSING: 2, Outcome.OWNERS: 1, Outcome.OURS: 1})
    sign_in(client, ada)

    text = text_of(client.get(DASHBOARD))

    assert "Availability 80% off target" in text
    assert "Failed calls 40% off target Target: under 1% 2 temporary, 1 yours to mend, 1 ours to mend" in text


def test_each_state_offers_one_button(app: Flask, client: FlaskClient, ada: User, shop: Connection) -> None:
    run_id = plant_run(app, shop, RunStatus.FAILED, error_kind="UnexpectedShape", ended_at=clock.now())
    sign_in(client, ada)
    failed = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")
    with in_context(app), transaction() as session:
        session.get_one(Connection, shop.id).state = ConnectionState.RECONNECT_NEEDED

    cut_off = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert f'action="/runs/{run_id}/retry"' in failed
    assert "Waiting for you" in failed
    assert failed.count('id="remedy-') == cut_off.count('id="remedy-') == 1
    assert 'href="/integrations/shopify/connect"' in cut_off
    assert "no longer accepts our access" in cut_off


def test_what_only_waits_offers_no_button(app: Flask, client: FlaskClient, ada: User, shop: Connection) -> None:
    until = clock.now() + timedelta(minutes=10)
    plant_run(app, shop, RunStatus.WAITING, wait_reason=WaitReason.UNAVAILABLE, resumes_at=until)
    sign_in(client, ada)

    row = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert "Retrying" in row
    assert "Shopify does not answer. Going on at" in row
    assert 'id="remedy-' not in row
    assert "Nothing to do but wait" in row


def test_problems_come_first(app: Flask, client: FlaskClient, ada: User, shop: Connection, connect: Walker) -> None:
    connect(ada, "google-drive")
    plant_run(app, shop, RunStatus.FAILED, error_kind="UnexpectedShape", ended_at=clock.now())
    sign_in(client, ada)

    page = client.get(DASHBOARD).get_data(as_text=True)

    assert page.index('id="health-shopify"') < page.index('id="health-google-drive"')


def test_a_poll_gets_nothing_while_nothing_changed(
    app: Flask, client: FlaskClient, ada: User, shop: Connection
) -> None:
    sign_in(client, ada)
    page = client.get(DASHBOARD).get_data(as_text=True)
    address = re.search(r'hx-get="(/health-dashboard\?v=\w+)"', page)
    assert address is not None

    same = client.get(address[1], headers=HTMX)
    plant_calls(app, shop, {Outcome.OK: 10})
    other = client.get(address[1], headers=HTMX)

    assert same.status_code == 204
    assert other.status_code == 200
    assert "<html" not in other.get_data(as_text=True)


def test_the_number_of_queries_does_not_grow(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, connect: Walker
) -> None:
    statements: list[str] = []

    def count() -> int:
        statements.clear()
        assert client.get(DASHBOARD).status_code == 200
        return len(statements)

    sign_in(client, ada)
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    one = count()
    for key in ("google-drive", "figma", "etsy", "dropbox"):
        fields = {"team": "https://www.figma.com/files/team/1204879330016258113/Inkfield"} if key == "figma" else {}
        plant_run(app, connect(ada, key, **fields), RunStatus.SUCCEEDED, ended_at=clock.now())

    assert count() == one


def test_the_detail_says_what_each_operation_does(app: Flask, client: FlaskClient, ada: User, shop: Connection) -> None:
    plant_calls(app, shop, {Outcome.OK: 90, Outcome.PASSING: 10, Outcome.RUN_SUCCEEDED: 3, Outcome.RUN_FAILED: 1})
    plant_contact(app, shop, answered_at=clock.now(), succeeded_at=clock.now() - timedelta(hours=2))
    sign_in(client, ada)

    text = text_of(client.get("/integrations/shopify/health"))

    assert "Health of Shopify" in text
    assert "4 runs, 1 failed 90% 219 ms 252 ms 2 hours ago" in text
    assert "100 calls; failed: 10 temporary" in text
    assert "24 hours: 90% successful, lowest 90% at 11:00 UTC" in text


def test_the_detail_of_what_is_not_connected_is_refused(client: FlaskClient, cleo: User, shop: Connection) -> None:
    sign_in(client, cleo)

    assert client.get("/integrations/shopify/health").status_code == 409
    assert "health-shopify" not in client.get(DASHBOARD).get_data(as_text=True)


@pytest.mark.parametrize("path", [DASHBOARD, "/integrations/shopify/health", "/diagnostics", "/runs/run_1/diagnostics"])
def test_nobody_looks_without_signing_in(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 401


def test_members_do_not_see_the_installation(client: FlaskClient, ada: User, ben: User, shop: Connection) -> None:
    sign_in(client, ben)
    for_a_member = text_of(client.get(DASHBOARD))
    sign_in(client, ada)

    assert "This installation" in text_of(client.get(DASHBOARD))
    assert "This installation" not in for_a_member


@pytest.mark.parametrize(("value", "said"), [(1.0, "100%"), (0.99999, "99.9%"), (0.9, "90%"), (0.0, "0%"), (None, "–")])
def test_a_share_is_never_rounded_up(app: Flask, value: float | None, said: str) -> None:
    with app.test_request_context():
        assert share(value) == said


@pytest.mark.parametrize(("value", "said"), [(0.0, "0%"), (0.00001, "0.1%"), (0.01, "1%"), (0.0189, "1.9%")])
def test_a_share_of_failures_is_never_rounded_down(app: Flask, value: float, said: str) -> None:
    with app.test_request_context():
        assert share(value, up=True) == said


@pytest.mark.parametrize(("ms", "said"), [(0.4, "0 ms"), (340.4, "340 ms"), (1449, "1.4 s"), (75_000, "1 min 15 s")])
def test_a_length_is_said_in_its_unit(app: Flask, ms: float, said: str) -> None:
    with app.test_request_context():
        assert length(ms) == said


def test_a_day_is_drawn_small(app: Flask, frozen_clock: FrozenClock) -> None:
    hours = [Hour(clock.now() - timedelta(hours=24 - one), 1000, 0.111 + one / 100) for one in range(24)]

    with app.test_request_context():
        source = '{% from "components/sparkline.html" import sparkline %}{{ sparkline(line) }}'
        drawing = app.jinja_env.from_string(source).render(line=line_of(hours))

    assert len(drawing.encode()) <= 600
    assert 'role="img"' in drawing
    assert "lowest 11.1% at" in drawing


def test_a_day_without_calls_is_drawn_empty(app: Flask, frozen_clock: FrozenClock) -> None:
    with app.test_request_context():
        line = line_of([Hour(clock.now(), 0, None)] * 24)

    assert (line.label, line.points, line.last, line.bars) == ("24 hours: no calls", "", None, "")


def test_a_platform_that_is_left_alone_has_its_story(
    app: Flask, client: FlaskClient, ada: User, shop: Connection
) -> None:
    with in_context(app):
        for _ in range(8):
            count_answer("shopify", shop.id, "HTTP 503", is_sandbox=shop.is_sandbox)
    sign_in(client, ada)

    row = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")
    text = text_of(client.get("/integrations/shopify/health"))

    assert "Many requests to Shopify failed of late. Going on at" in row
    assert "Retrying" in row
    assert "this connection is left alone since" in text
    assert "HTTP 503" in text


def test_the_limits_of_an_account_are_told(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, queue: Queue
) -> None:
    with in_context(app):
        runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        queue.run_all()
    sign_in(client, ada)

    row = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert re.search(r"\d+(\.\d)?% free", row)
    assert re.search(r"\d of [\d,]+ (used|at the same time)", text_of(client.get("/integrations/shopify/health")))


def test_paused_schedules_are_told_apart_from_trouble(
    app: Flask, client: FlaskClient, ada: User, shop: Connection
) -> None:
    with in_context(app):
        schedule = schedules.make(ada.id, "shopify", "import_products", {"repeat": "hours", "every": 6})
    token = sign_in(client, ada)
    running = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")
    with in_context(app):
        schedules.pause(ada.id, schedule.id)

    paused = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert "Working" in running
    assert "<time" in running
    assert "Paused by you" in paused
    assert 'action="/integrations/shopify/schedules/resume"' in paused
    resumed = post(client, "/integrations/shopify/schedules/resume", token)
    assert path_of(resumed) == "/integrations/shopify/health"
    assert "Working" in row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")


def test_one_button_resumes_every_paused_schedule_of_the_connection_and_no_other(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, connect: Walker
) -> None:
    other = connect(ada, "canva")
    with in_context(app), transaction() as session:
        mine = [
            plant_paused(session, shop, "import_products"),
            plant_paused(session, shop, "an_import_of_old"),
            plant_paused(session, other, "import_designs"),
        ]
    token = sign_in(client, ada)

    page = client.get(path_of(post(client, "/integrations/shopify/schedules/resume", token)))

    with in_context(app):
        paused = [schedules.get(ada.id, schedule_id).paused_at is not None for schedule_id in mine]
    assert paused == [False, False, True]
    assert "2 schedules resumed." in text_of(page)


def plant_paused(session: Session, connection: Connection, operation: str) -> str:
    now = clock.now()
    schedule = Schedule(
        id=new_id("sch"), user_id=connection.user_id, connection_id=connection.id, operation=operation, input={},
        integration_id=connection.integration_id, repeat=Repeat.HOURS, every=6, weekdays=[], time_zone="UTC",
        overlap=Overlap.SKIP, held_params={}, counts_from=now, created_at=now, updated_at=now, paused_at=now,
    )  # fmt: skip
    session.add(schedule)
    return schedule.id


def test_held_deletions_lead_to_their_preview(app: Flask, client: FlaskClient, ada: User, shop: Connection) -> None:
    run_id = plant_run(app, shop, RunStatus.WAITING, wait_reason=WaitReason.CONFIRM_DELETIONS)
    sign_in(client, ada)

    row = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert f'href="/runs/{run_id}/deletions"' in row
    assert "Nothing was deleted here" in row


@pytest.mark.parametrize(
    ("kind", "told"), [(AlertKind.LOGIN_ENDING, "Reconnect before it does"), (AlertKind.QUOTA_NEAR, "")]
)
def test_a_login_that_ends_soon_waits_for_its_owner(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, kind: AlertKind, told: str
) -> None:
    with in_context(app):
        alerts.raise_alert(kind, user_id=ada.id, subject_id=shop.id, connection_id=shop.id)
    sign_in(client, ada)

    row = row_of(client.get(DASHBOARD).get_data(as_text=True), "shopify")

    assert ("Waiting for you" in row) == bool(told)
    assert told in row

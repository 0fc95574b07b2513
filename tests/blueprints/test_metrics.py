"""`/metrics`: who may read it, that it is what Prometheus reads, and that nothing of a user's is in it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from patchbay import counters, health, runs
from patchbay.models import Connection, Trigger, User, db
from patchbay.settings import Settings
from tests.servers import RedisServer
from tests.stage import FrozenClock, Queue, Sandbox, Walker, count_answer, in_context

TOKEN = "a token for the monitoring"


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for(METRICS_TOKEN=TOKEN)


@pytest.fixture
def shop(frozen_clock: FrozenClock, connect: Walker, ada: User) -> Connection:
    return connect(ada, "shopify", shop="demo-shop")


def read(client: FlaskClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and its labels' values, sorted."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    return {(one.name, tuple(sorted(one.labels.values()))): one.value for family in families for one in family.samples}


def test_whoever_is_on_this_machine_may_read(client: FlaskClient) -> None:
    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
def test_who_comes_through_a_proxy_on_this_machine_may_not(client: FlaskClient, header: str) -> None:
    assert client.get("/metrics", headers={header: "203.0.113.7"}).status_code == 401


def test_from_elsewhere_the_token_opens(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}

    statuses = [
        client.get("/metrics", environ_overrides=elsewhere, headers=headers).status_code
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": f"Bearer {TOKEN}"},
        )
    ]

    assert statuses == [401, 401, 401, 200]


def test_without_a_token_nobody_elsewhere_gets_in(
    app_for: Callable[[Settings], Flask], settings_for: Callable[..., Settings]
) -> None:
    client = app_for(settings_for()).test_client()

    answer = client.get(
        "/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.7"}, headers={"Authorization": "Bearer "}
    )

    assert answer.status_code == 401


def test_calls_and_runs_are_counted_by_provider(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, queue: Queue
) -> None:
    with in_context(app):
        runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        queue.run_all()

    samples = read(client)

    calls = samples["patchbay_calls_total", ("ok", "shopify")]
    assert samples["patchbay_runs_total", ("run_succeeded", "shopify")] == 1
    assert calls >= 1
    assert samples["patchbay_call_duration_seconds_count", ("shopify",)] == calls
    assert samples["patchbay_call_duration_seconds_sum", ("shopify",)] > 0
    assert samples["patchbay_call_duration_seconds_bucket", ("+Inf", "shopify")] == calls


def test_the_state_of_things_is_told(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, frozen_clock: FrozenClock
) -> None:
    with in_context(app):
        runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        health.beat("clock")
        counters.add("refreshes", 3, provider="etsy", outcome="ok")
    frozen_clock.advance(seconds=90)

    samples = read(client)

    assert samples["patchbay_open_runs", ("queued",)] == 1
    assert samples["patchbay_oldest_queued_seconds", ()] == 90
    assert samples["patchbay_connections", ("connected", "shopify")] == 1
    assert samples["patchbay_heartbeat_age_seconds", ("clock",)] == 90
    assert samples["patchbay_queue_depth", ("runs",)] == 1
    assert samples["patchbay_refreshes_total", ("etsy", "ok")] == 3
    assert samples["patchbay_database_size_bytes", ()] > 0
    assert samples["patchbay_home_free_bytes", ()] > 0


def test_a_circuit_that_is_open_is_told(app: Flask, client: FlaskClient) -> None:
    with in_context(app):
        for number in range(20):
            count_answer("etsy", f"con_{number}", "HTTP 503")

    samples = read(client)

    assert samples["patchbay_circuit_open", ("etsy", "platform")] == 1
    assert samples["patchbay_circuit_open", ("login", "shopify")] == 0


def test_renewals_of_logins_are_counted(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, queue: Queue, sandbox: Sandbox
) -> None:
    sandbox.fault("shopify", "expired_token")

    with in_context(app):
        runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        queue.run_all()

    assert read(client)["patchbay_refreshes_total", ("ok", "shopify")] == 1


def test_no_label_holds_anything_of_a_user_s(
    app: Flask, client: FlaskClient, ada: User, shop: Connection, queue: Queue
) -> None:
    with in_context(app):
        runs.start(ada.id, "shopify", "import_products", {}, Trigger.API)
        queue.run_all()

    text = client.get("/metrics").get_data(as_text=True)

    for one in (ada.id, ada.email, shop.id, shop.account_id, shop.account_label, "demo-shop"):
        assert one not in text


def test_without_redis_the_database_is_told_all_the_same(client: FlaskClient, redis_server: RedisServer) -> None:
    redis_server.stop()

    samples = read(client)

    assert samples["patchbay_redis_up", ()] == 0
    assert samples["patchbay_database_up", ()] == 1


def test_without_a_database_redis_is_told_all_the_same(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("", {}, OSError("the disk is gone"))

    monkeypatch.setattr(db.session, "execute", fail)

    samples = read(client)

    assert samples["patchbay_database_up", ()] == 0
    assert samples["patchbay_redis_up", ()] == 1


def test_counting_goes_on_over_the_hour(client: FlaskClient, frozen_clock: FrozenClock, app: Flask) -> None:
    with in_context(app):
        counters.add("calls", 5, provider="etsy", outcome="ok", bucket="10")
        frozen_clock.advance(hours=2)
        counters.add("calls", 2, provider="etsy", outcome="ok", bucket="20")

    samples = read(client)

    assert samples["patchbay_calls_total", ("etsy", "ok")] == 7
    assert samples["patchbay_call_duration_seconds_bucket", ("0.032", "etsy")] == 5

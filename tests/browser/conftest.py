"""The fixtures of the browser tests: one hub, one Chromium, and people at it. Complaints of the browser fail a test."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from patchbay import providers
from patchbay.models import User, db
from tests import stage
from tests.browser.visitor import Visitor
from tests.browser.watch import Ledger, Watch
from tests.journeys.hubs import Hub, Person

Visit = Callable[..., Visitor]
_numbers = count(1)
PATIENCE_MS = 60_000  # for a machine that does other things as well
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="package")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub") / "home")
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def hub(_running: Hub) -> Iterator[Hub]:
    """A hub that runs; its sandbox is in the first state."""
    _running.sandbox.reset()
    yield _running
    for provider in providers.all():
        if provider.auth is not None:
            _running.sandbox.clear_faults(provider.key)


@pytest.fixture
def visit(hub: Hub, browser: Browser) -> Iterator[Visit]:
    """Opens a browser for somebody new: `visit(javascript=False, is_stranger=True, is_admin=True, width=360)`.

    Other names are those of Playwright's `new_context`.
    """
    opened: list[Visitor] = []

    def open_for(
        *, person: Person | None = None, is_stranger: bool = False, is_admin: bool = False, javascript: bool = True,
        width: int = 1280, height: int = 900, **options: Any,
    ) -> Visitor:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=javascript, **options
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(3 * PATIENCE_MS)
        watch, ledger = Watch(hub.url), Ledger(hub.url)
        watch.follow(context)
        ledger.follow(context)
        who = None if is_stranger else person or hub.newcomer(is_admin=is_admin)
        if who:
            sign_in(hub, context, who)
        visitor = Visitor(hub, who, context, context.new_page(), watch, ledger, f"shop-{next(_numbers)}", javascript)
        opened.append(visitor)
        return visitor

    yield open_for
    problems = [problem for visitor in opened for problem in visitor.watch.problems]
    for visitor in opened:
        visitor.context.unroute_all(behavior="ignoreErrors")
        visitor.context.close()
    assert problems == []


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """Somebody new, signed in, with JavaScript."""
    return visit()


def sign_in(hub: Hub, context: BrowserContext, person: Person) -> None:
    """Give the browser the cookie that the sign-in form would have given it."""
    with hub.app.app_context():
        user = db.session.get_one(User, person.user_id)
        client = hub.app.test_client()
        stage.sign_in(client, user)
        db.session.remove()
    cookie = client.get_cookie("patchbay")
    assert cookie
    context.add_cookies(
        [{"name": "patchbay", "value": cookie.value, "url": hub.url, "httpOnly": True, "sameSite": "Lax"}]
    )

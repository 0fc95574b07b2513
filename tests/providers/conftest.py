"""The fixture `trial`, the marker of the rules that a quality level stands on, and the exemptions.

An exempted test is left out for that provider; the reason stands in its `SAMPLE`.
"""

import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.serving import make_server

from patchbay.models import User
from patchbay.settings import Settings
from patchbay.spec import Provider
from tests.providers.sample import sample_of
from tests.providers.trial import Trial
from tests.servers import free_port
from tests.stage import FrozenClock, Queue, Sandbox, Walker


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "rule(name): the test belongs to this rule of `patchbay.quality`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a provider is exempted from, and note in the report which rule of which provider a test is of."""
    left_out = [item for item in items if _names_of(item) & _exemptions_of(item) or _is_about_nobody(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        provider, marker = _provider_of(item), item.get_closest_marker("rule")
        if provider is not None and marker is not None:
            item.user_properties += [("provider", provider.key), ("rule", marker.args[0])]


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    """With an address at which the hub can really be served."""
    return settings_for(PUBLIC_URL=f"http://localhost:{free_port()}")


@pytest.fixture
def served(app: Flask, settings: Settings) -> Iterator[None]:
    """The hub as a web server, for platforms that fetch pictures from it."""
    server = make_server("127.0.0.1", urlsplit(settings.public_url).port or 80, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def trial(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    ada: User,
    connect: Walker,
    queue: Queue,
    sandbox: Sandbox,
    frozen_clock: FrozenClock,
) -> Trial:
    """The provider that the test is parametrized with, and Ada, who connects it."""
    provider: Provider = request.param
    sample = sample_of(provider)
    if any(action.needs_public_address for action in provider.actions):
        request.getfixturevalue("served")
    for name, value in {"patchbay.client.retries.FIRST_BACKOFF_S": 0.01, **sample.quick}.items():
        monkeypatch.setattr(name, value)
    return Trial(provider, sample, ada, connect, queue, sandbox, frozen_clock)


def _provider_of(item: pytest.Item) -> Provider | None:
    """The provider that a test of the suite is about."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return None
    found = [value for value in item.callspec.params.values() if isinstance(value, Provider)]
    return found[0] if found else None


def _is_about_nobody(item: pytest.Item) -> bool:
    """A test for a kind of provider of which there is none, which pytest would count as skipped."""
    return any("empty parameter set" in str(mark.kwargs.get("reason")) for mark in item.iter_markers("skip"))


def _exemptions_of(item: pytest.Item) -> frozenset[str]:
    provider = _provider_of(item)
    return frozenset(sample_of(provider).exempt) if provider is not None else frozenset()


def _names_of(item: pytest.Item) -> set[str]:
    """What an exemption may call a test: its name, or its rule's."""
    marker = item.get_closest_marker("rule")
    name = item.originalname if isinstance(item, pytest.Function) else item.name
    return {name, *(marker.args if marker is not None else ())}

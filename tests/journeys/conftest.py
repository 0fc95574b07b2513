"""The fixtures of the journeys: one running hub for a module, and people on it."""

from collections.abc import Callable, Iterator

import pytest

from patchbay import providers
from tests.journeys.hubs import Hub, Person


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub") / "home")
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def hub(_running: Hub) -> Iterator[Hub]:
    """A hub that runs, shared by the tests of a module; no fault waits in its sandbox."""
    yield _running
    for provider in providers.all():
        if provider.auth is not None:
            _running.sandbox.clear_faults(provider.key)


@pytest.fixture
def newcomer(hub: Hub) -> Callable[[], Person]:
    """Makes people whom the hub has not seen before."""
    return hub.newcomer


@pytest.fixture
def ada(hub: Hub) -> Person:
    """One of them."""
    return hub.newcomer()

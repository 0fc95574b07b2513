"""What tests of limits share."""

from collections.abc import Iterator

import pytest

from patchbay.limits import store


@pytest.fixture
def in_haste(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No more patience with Redis than Patchbay has."""
    monkeypatch.setattr(store, "TIMEOUT_S", 0.25)
    store._redis.cache_clear()
    yield
    store._redis.cache_clear()

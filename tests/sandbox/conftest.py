"""A sandbox on real sockets for each test, and a session that speaks to it as an app with a token."""

from collections.abc import Iterator

import pytest
import requests

from sandbox import running


@pytest.fixture
def url() -> Iterator[str]:
    """Address of a fresh sandbox."""
    with running() as address:
        yield address


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A session without any token that follows no redirect by itself."""
    with requests.Session() as session:
        session.max_redirects = 0
        yield session


@pytest.fixture
def ada(url: str) -> Iterator[requests.Session]:
    """A session with a token for Ada's Drive, drive.file and sign-in scopes."""
    with requests.Session() as session:
        answer = session.post(f"{url}/_sandbox/google-drive/token", json={}, timeout=10).json()
        session.headers["Authorization"] = f"Bearer {answer['access_token']}"
        yield session

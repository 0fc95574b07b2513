"""Asking a platform at once: only what changes nothing there, only by a connection that works."""

from time import monotonic

import pytest

from patchbay.connections import ask
from patchbay.errors import Conflict, Invalid, NetworkError, ProviderUnavailable
from patchbay.models import User
from tests.stage import Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")


def test_a_read_only_operation_answers_at_once(ada: User, connect: Walker) -> None:
    connect(ada, "google-drive")

    assert ask(ada.id, "google-drive", "list_folders", {})["folders"] == []


@pytest.mark.parametrize("operation", ["create_folder", "upload_file", "nothing"])
def test_what_changes_something_is_refused(ada: User, connect: Walker, operation: str) -> None:
    connect(ada, "google-drive")

    with pytest.raises(Invalid):
        ask(ada.id, "google-drive", operation, {"folderName": "New"})


def test_a_page_waits_for_a_platform_only_so_long(
    ada: User, connect: Walker, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "google-drive")
    monkeypatch.setattr("patchbay.connections.asking.PATIENCE_S", 0.5)
    sandbox.fault("google-drive", "hang", times=0, seconds=30)
    began = monotonic()

    with pytest.raises(NetworkError):
        ask(ada.id, "google-drive", "list_folders", {})

    assert monotonic() - began < 10


def test_what_a_platform_answered_last_tells_why_a_page_waits_no_longer(
    ada: User, connect: Walker, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(ada, "google-drive")
    monkeypatch.setattr("patchbay.connections.asking.PATIENCE_S", 0.5)
    sandbox.fault("google-drive", "server_error", times=0, seconds=1)

    with pytest.raises(ProviderUnavailable):
        ask(ada.id, "google-drive", "list_folders", {})


def test_without_a_connection_nothing_is_asked(ada: User) -> None:
    with pytest.raises(Conflict):
        ask(ada.id, "google-drive", "list_folders", {})

"""Asking a platform at once: only what changes nothing there, only by a connection that works."""

import pytest

from patchbay.connections import ask
from patchbay.errors import Conflict, Invalid
from patchbay.models import User
from tests.stage import Walker

pytestmark = pytest.mark.usefixtures("context")


def test_a_read_only_operation_answers_at_once(ada: User, connect: Walker) -> None:
    connect(ada, "google-drive")

    assert ask(ada.id, "google-drive", "list_folders", {})["folders"] == []


@pytest.mark.parametrize("operation", ["create_folder", "upload_file", "nothing"])
def test_what_changes_something_is_refused(ada: User, connect: Walker, operation: str) -> None:
    connect(ada, "google-drive")

    with pytest.raises(Invalid):
        ask(ada.id, "google-drive", operation, {"folderName": "New"})


def test_without_a_connection_nothing_is_asked(ada: User) -> None:
    with pytest.raises(Conflict):
        ask(ada.id, "google-drive", "list_folders", {})

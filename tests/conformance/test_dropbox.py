"""Dropbox's own Python client, with the routes that it brings along, against the sandbox.

Nothing of the sandbox is imported but its server: what the client understands is the proof.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dropbox
import pytest
import requests
from dropbox import Dropbox, DropboxOAuth2Flow, exceptions, files
from dropbox.common import PathRoot
from dropbox.content_hash import content_hash

from tests.conformance import dropbox_routes
from tests.conformance.recording import Record
from tests.conformance.transport import SandboxAdapter, session
from tests.conformance.witness import Reading, Witness

WITNESS = Witness(
    platform="Dropbox",
    name="Dropbox's Python client and the routes it brings",
    package="dropbox",
    subject="the sandbox's answers",
)
UNWITNESSED = (
    "What stands on the consent page, and that an unknown app or redirect address stays there with 400.",
    "The words of 400 answers: the client passes them on as text. So with most errors of the token endpoint.",
    "Which names and paths are malformed or disallowed, and how autorename counts: to the routes they are text.",
    "What search finds, and in which order: the routes promise neither.",
    "When Dropbox throttles, resets a cursor or sends an empty page.",
)
READING = Reading(dropbox_routes.operations, dropbox_routes.misfits)
APP = {"app_key": "sandbox-dropbox", "app_secret": "sandbox-secret-dropbox"}
REDIRECT = "http://localhost:8000/integrations/callback"
CHUNK = 4 * 1024 * 1024


@pytest.fixture
def ada(url: str) -> Iterator[Dropbox]:
    with client(url) as made:
        yield made


def client(url: str, *, offline: bool = False, **wanted: str) -> Any:
    """The official client with a token of its own, or one that must refresh first."""
    tokens = requests.post(f"{url}/_sandbox/dropbox/token", json=wanted, timeout=10).json()
    quick = {"max_retries_on_error": 0, "max_retries_on_rate_limit": 0, "session": session(url)}
    if offline:
        return Dropbox(oauth2_refresh_token=tokens["refresh_token"], **APP, **quick)
    return Dropbox(tokens["access_token"], **quick)


def control(url: str, method: str, call: str, **wanted: Any) -> None:
    requests.request(method, f"{url}/_sandbox/dropbox/{call}", json=wanted, timeout=20).raise_for_status()


def refusal(call: Callable[[], Any]) -> Any:
    """The error union of a call that ends with 409."""
    with pytest.raises(exceptions.ApiError) as refused:
        call()
    return refused.value.error


def test_the_flow_of_the_client_ends_with_tokens(url: str) -> None:
    kept: dict[str, str] = {}
    flow = DropboxOAuth2Flow(
        "sandbox-dropbox", REDIRECT, kept, "csrf", use_pkce=True, token_access_type="offline",
        scope=["account_info.read", "files.metadata.read"],
    )  # fmt: skip
    flow.requests_session.mount("https://", SandboxAdapter(url))
    address = flow.start("back")
    parts = urlsplit(address)
    page = requests.get(
        f"{url}/{parts.netloc}{parts.path}?{parts.query}&sandbox_consent=allow", allow_redirects=False, timeout=10
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}

    result = flow.finish(query)

    assert result.url_state == "back"
    assert result.account_id.startswith("dbid:")
    assert result.expires_at > datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=3)
    with Dropbox(oauth2_refresh_token=result.refresh_token, app_key="sandbox-dropbox", session=session(url)) as later:
        assert later.users_get_current_account().account_id == result.account_id


def test_denying_is_understood(url: str) -> None:
    kept: dict[str, str] = {}
    flow = DropboxOAuth2Flow("sandbox-dropbox", REDIRECT, kept, "csrf", consumer_secret="sandbox-secret-dropbox")
    parts = urlsplit(flow.start())
    page = requests.get(
        f"{url}/{parts.netloc}{parts.path}?{parts.query}&sandbox_consent=deny", allow_redirects=False, timeout=10
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}

    with pytest.raises(dropbox.oauth.NotApprovedException):
        flow.finish(query)


def test_an_expired_token_is_refreshed_by_the_client(url: str) -> None:
    with client(url, offline=True) as offline:
        before = offline.users_get_current_account().email
        control(url, "POST", "faults", kind="expired_token")

        assert offline.users_get_current_account().email == before == "ada@example.org"


def test_a_revoked_token_is_no_good_for_calls_and_refreshes(url: str, ada: Dropbox) -> None:
    with client(url, offline=True) as offline:
        offline.users_get_current_account()
        offline.auth_token_revoke()

        with pytest.raises(exceptions.AuthError) as refused:
            offline.users_get_current_account()
        with pytest.raises(exceptions.AuthError):
            offline.refresh_access_token()

    assert refused.value.error.is_invalid_access_token()
    assert ada.users_get_current_account().email == "ada@example.org"


def test_a_wrong_secret_is_bad_input(url: str) -> None:
    tokens = requests.post(f"{url}/_sandbox/dropbox/token", json={}, timeout=10).json()
    wrong = Dropbox(
        oauth2_refresh_token=tokens["refresh_token"],
        app_key="sandbox-dropbox",
        app_secret="wrong",
        session=session(url),
    )

    with pytest.raises(exceptions.BadInputError, match="invalid_client"):
        wrong.refresh_access_token()


def test_a_missing_scope_is_named(url: str) -> None:
    with client(url, scopes="account_info.read") as weak, pytest.raises(exceptions.AuthError) as refused:
        weak.files_list_folder("")

    assert refused.value.error.get_missing_scope().required_scope == "files.metadata.read"


def test_a_misshapen_token_is_bad_input(url: str) -> None:
    with pytest.raises(exceptions.BadInputError, match="malformed"):
        Dropbox("x y", session=session(url)).users_get_current_account()


@pytest.mark.parametrize(
    "call",
    [lambda client: client.files_list_folder(""), lambda client: client.files_upload(b"x", "/a.txt")],
    ids=["json", "bytes"],
)
def test_a_throttle_is_understood(url: str, ada: Dropbox, call: Callable[[Dropbox], Any]) -> None:
    control(url, "POST", "faults", kind="rate_limit", seconds=9)

    with pytest.raises(exceptions.RateLimitError) as refused:
        call(ada)

    assert refused.value.backoff == 9


def test_a_failing_server_is_understood(url: str, ada: Dropbox) -> None:
    control(url, "POST", "faults", kind="server_error")

    with pytest.raises(exceptions.InternalServerError):
        ada.files_list_folder("")


@pytest.mark.parametrize("account", ["ada@example.org", "ben@acme.example"])
def test_an_account_and_its_storage_fit(url: str, account: str) -> None:
    with client(url, account=account) as own:
        told, space = own.users_get_current_account(), own.users_get_space_usage()

    assert told.email == account
    assert (told.team is not None) == space.allocation.is_team() == account.startswith("ben")


def test_the_team_is_seen_from_its_root(url: str) -> None:
    with client(url, account="ben@acme.example") as ben:
        root = ben.users_get_current_account().root_info.root_namespace_id
        seen = ben.with_path_root(PathRoot.root(root)).files_list_folder("").entries
        at_home = ben.with_path_root(PathRoot.home).files_list_folder("").entries

    assert [entry.path_display for entry in seen] == ["/Ben", "/Marketing", "/Products"]
    assert "/Mockups" in [entry.path_display for entry in at_home]


def test_wrong_roots_are_told_apart(url: str, ada: Dropbox) -> None:
    with pytest.raises(exceptions.PathRootError) as stale:
        ada.with_path_root(PathRoot.root("12")).files_list_folder("")
    with pytest.raises(exceptions.PathRootError) as foreign:
        ada.with_path_root(PathRoot.namespace_id("12")).files_list_folder("")

    home = ada.users_get_current_account().root_info.home_namespace_id
    assert stale.value.error.get_invalid_root().root_namespace_id == home
    assert foreign.value.error.is_no_permission()


def test_a_folder_is_made_once(ada: Dropbox) -> None:
    made = ada.files_create_folder_v2("/Shop/Mugs").metadata

    error = refusal(lambda: ada.files_create_folder_v2("/shop/MUGS"))

    assert ada.files_get_metadata(made.id).path_display == "/Shop/Mugs"
    assert error.get_path().get_conflict().is_folder()


def test_a_list_is_walked_to_its_end_and_followed(ada: Dropbox) -> None:
    page = ada.files_list_folder("", recursive=True, limit=3)
    found = list(page.entries)
    while page.has_more:
        page = ada.files_list_folder_continue(page.cursor)
        found += page.entries
    ada.files_upload(b"x", "/Mockups/new.txt")
    ada.files_delete_v2("/Archive")

    changed = ada.files_list_folder_continue(page.cursor).entries

    assert len({entry.path_lower for entry in found}) == len(found) == 8
    assert [type(entry) for entry in changed] == [files.FileMetadata, files.DeletedMetadata]


def test_a_reset_cursor_is_understood(url: str, ada: Dropbox) -> None:
    cursor = ada.files_list_folder_get_latest_cursor("").cursor
    control(url, "DELETE", "cursors")

    assert refusal(lambda: ada.files_list_folder_continue(cursor)).is_reset()


def test_what_is_not_there_is_told(ada: Dropbox) -> None:
    assert refusal(lambda: ada.files_get_metadata("/nowhere")).get_path().is_not_found()
    assert refusal(lambda: ada.files_list_folder("/Getting Started.txt")).get_path().is_not_folder()
    assert refusal(lambda: ada.files_delete_v2("/nowhere")).get_path_lookup().is_not_found()
    assert refusal(lambda: ada.files_download("/Designs")).get_path().is_not_file()


def test_a_search_is_walked_to_its_end(ada: Dropbox) -> None:
    for number in range(3):
        ada.files_create_folder_v2(f"/Mug {number}")
    options = files.SearchOptions(max_results=2, filename_only=True, file_categories=[files.FileCategory.folder])

    first = ada.files_search_v2("mug", options)
    rest = ada.files_search_continue_v2(first.cursor)

    names = [match.metadata.get_metadata().name for match in first.matches + rest.matches]
    assert (names, rest.has_more) == (["Mug 0", "Mug 1", "Mug 2"], False)


@pytest.mark.parametrize("content", [b"", b"picture", bytes(range(256)) * 20_000], ids=["empty", "small", "two blocks"])
def test_an_upload_keeps_every_byte_and_its_hash(ada: Dropbox, content: bytes) -> None:
    made = ada.files_upload(content, "/Grüße/Mug 😀.png")
    about, answer = ada.files_download("/grüße/mug 😀.png")

    assert (made.size, made.content_hash) == (len(content), content_hash(content))
    assert (about, answer.content) == (made, content)


def test_write_modes_are_kept(ada: Dropbox) -> None:
    first = ada.files_upload(b"one", "/mug.png")
    same = ada.files_upload(b"one", "/mug.png")
    error = refusal(lambda: ada.files_upload(b"two", "/mug.png"))
    updated = ada.files_upload(b"two", "/mug.png", mode=files.WriteMode.update(first.rev))
    renamed = ada.files_upload(b"three", "/mug.png", autorename=True)

    assert same == first
    assert error.get_path().reason.get_conflict().is_file()
    assert (updated.id, updated.rev != first.rev) == (first.id, True)
    assert renamed.name != "mug.png"


def test_a_full_space_is_told(url: str, ada: Dropbox) -> None:
    control(url, "POST", "quota", limit=50)

    assert refusal(lambda: ada.files_upload(b"x" * 60, "/a.bin")).get_path().reason.is_insufficient_space()


def test_a_session_is_fed_corrected_and_finished(ada: Dropbox) -> None:
    session_id = ada.files_upload_session_start(b"one").session_id
    cursor = files.UploadSessionCursor(session_id, 0)
    corrected = refusal(lambda: ada.files_upload_session_append_v2(b"two", cursor)).get_incorrect_offset()
    cursor.offset = corrected.correct_offset
    ada.files_upload_session_append_v2(b"two", cursor)

    error = refusal(lambda: ada.files_upload_session_finish(b"", cursor, files.CommitInfo("/big.bin")))
    cursor.offset = error.get_lookup_failed().get_incorrect_offset().correct_offset
    made = ada.files_upload_session_finish(b"three", cursor, files.CommitInfo("/big.bin"))

    assert (cursor.offset, made.size) == (6, 11)
    assert ada.files_download("/big.bin")[1].content == b"onetwothree"


def test_a_concurrent_session_takes_chunks_in_any_order(ada: Dropbox) -> None:
    kind = files.UploadSessionType.concurrent
    session_id = ada.files_upload_session_start(b"", session_type=kind).session_id
    ada.files_upload_session_append_v2(b"b" * CHUNK, files.UploadSessionCursor(session_id, CHUNK))
    ada.files_upload_session_append_v2(b"a" * CHUNK, files.UploadSessionCursor(session_id, 0))
    end = files.UploadSessionCursor(session_id, 2 * CHUNK)
    early = refusal(lambda: ada.files_upload_session_finish(b"", end, files.CommitInfo("/big.bin")))
    ada.files_upload_session_append_v2(b"end", end, close=True)

    end.offset += 3
    made = ada.files_upload_session_finish(b"", end, files.CommitInfo("/big.bin"))

    assert early.is_concurrent_session_not_closed()
    assert made.content_hash == content_hash(b"a" * CHUNK + b"b" * CHUNK + b"end")


def test_a_lost_session_is_not_found(url: str, ada: Dropbox) -> None:
    session_id = ada.files_upload_session_start(b"one").session_id
    control(url, "DELETE", "uploads")
    cursor = files.UploadSessionCursor(session_id, 3)

    assert refusal(lambda: ada.files_upload_session_append_v2(b"two", cursor)).is_not_found()


def test_the_reading_of_exchanges_has_teeth(ada: Dropbox, record: Record) -> None:
    ada.files_list_folder("")
    exchange = record.to("api.dropboxapi.com")[-1]
    changed = [
        exchange.answer.replace(b'"has_more":false', b'"has_more":0'),
        exchange.answer.replace(b'"has_more":false', b'"more":false'),
        exchange.answer.replace(b'".tag":"folder"', b'".tag":"shelf"'),
        exchange.answer.replace(b'"entries":[{', b'"entries":[{"colour":"red",'),
    ]

    for answer in changed:
        assert answer != exchange.answer
        assert list(dropbox_routes.misfits(type(exchange)(**(vars(exchange) | {"answer": answer}))))

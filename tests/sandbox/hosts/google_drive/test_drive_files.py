"""Files, folders, visibility, quota and changes, where the official client does not look."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

KEY = "google-drive"
FOLDER = "application/vnd.google-apps.folder"
API = "/www.googleapis.com/drive/v3"
UPLOAD = "/www.googleapis.com/upload/drive/v3/files"
DRIVE = "https://www.googleapis.com/auth/drive"


def session_for(url: str, **wanted: str) -> requests.Session:
    session = requests.Session()
    answer = session.post(f"{url}/_sandbox/{KEY}/token", json=wanted, timeout=10).json()
    session.headers["Authorization"] = f"Bearer {answer['access_token']}"
    return session


def other_app(url: str, scope: str) -> requests.Session:
    """A session of the second app, with Ada's consent."""
    session = requests.Session()
    redirect_uri = "http://localhost/cb"
    terms = {"client_id": f"other-{KEY}", "redirect_uri": redirect_uri, "response_type": "code", "scope": scope}
    landed = session.get(
        f"{url}/accounts.google.com/o/oauth2/v2/auth",
        params=terms | {"sandbox_consent": "allow"},
        allow_redirects=False,
        timeout=10,
    )
    [code] = parse_qs(urlsplit(landed.headers["Location"]).query)["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    answer = session.post(
        f"{url}/oauth2.googleapis.com/token", data=form, auth=(f"other-{KEY}", f"other-secret-{KEY}"), timeout=10
    )
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def make(session: requests.Session, url: str, **metadata: Any) -> dict[str, Any]:
    answer = session.post(f"{url}{API}/files?fields=*", json=metadata, timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def reason(answer: requests.Response) -> str:
    return str(answer.json()["error"]["errors"][0]["reason"])


def listed(session: requests.Session, url: str, **query: str) -> list[str]:
    answer = session.get(f"{url}{API}/files", params=query, timeout=10)
    assert answer.status_code == 200, answer.text
    return [file["name"] for file in answer.json()["files"]]


def test_app_with_drive_file_sees_only_its_own_files(ada: requests.Session, url: str) -> None:
    mine = make(ada, url, name="mine")
    with other_app(url, f"{DRIVE}.file") as other:
        answer = other.get(f"{url}{API}/files/{mine['id']}", timeout=10)

        assert listed(other, url) == []
        assert (answer.status_code, reason(answer)) == (404, "notFound")


def test_app_with_full_access_sees_and_changes_all(ada: requests.Session, url: str) -> None:
    mine = make(ada, url, name="mine")
    with other_app(url, DRIVE) as other:
        changed = other.patch(f"{url}{API}/files/{mine['id']}", json={"name": "theirs"}, timeout=10)

        assert changed.status_code == 200

    assert listed(ada, url) == ["theirs"]


def test_app_that_only_reads_all_may_not_change_foreign_files(ada: requests.Session, url: str) -> None:
    mine = make(ada, url, name="mine")
    with other_app(url, f"{DRIVE}.file {DRIVE}.readonly") as other:
        answer = other.patch(f"{url}{API}/files/{mine['id']}", json={"name": "x"}, timeout=10)

        assert (answer.status_code, reason(answer)) == (403, "appNotAuthorizedToFile")


def test_accounts_do_not_see_each_other(ada: requests.Session, url: str) -> None:
    mine = make(ada, url, name="mine")
    with session_for(url, account="ben@example.org", scopes=DRIVE) as ben:
        assert listed(ben, url) == []
        assert ben.get(f"{url}{API}/files/{mine['id']}", timeout=10).status_code == 404


def test_properties_of_an_app_are_hidden_from_others(ada: requests.Session, url: str) -> None:
    mine = make(ada, url, name="mine", appProperties={"run": "1"}, properties={"open": "yes"})
    with other_app(url, DRIVE) as other:
        seen = other.get(f"{url}{API}/files/{mine['id']}?fields=*", timeout=10).json()

    assert mine["appProperties"] == {"run": "1"}
    assert "appProperties" not in seen
    assert seen["properties"] == {"open": "yes"}


def test_trashing_a_folder_trashes_what_is_in_it(ada: requests.Session, url: str) -> None:
    folder = make(ada, url, name="folder", mimeType=FOLDER)
    make(ada, url, name="inside", parents=[folder["id"]])

    ada.patch(f"{url}{API}/files/{folder['id']}", json={"trashed": True}, timeout=10)

    assert listed(ada, url, q="trashed=false") == []
    assert listed(ada, url, q="trashed=true and name='inside'") == ["inside"]


def test_deleting_a_folder_deletes_what_is_in_it(ada: requests.Session, url: str) -> None:
    folder = make(ada, url, name="folder", mimeType=FOLDER)
    inside = make(ada, url, name="inside", parents=[folder["id"]])

    assert ada.delete(f"{url}{API}/files/{folder['id']}", timeout=10).status_code == 204

    assert ada.get(f"{url}{API}/files/{inside['id']}", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("metadata", "status", "reason_given"),
    [
        ({"parents": ["nowhere"]}, 404, "notFound"),
        ({"parents": ["root", "root"]}, 400, "invalid"),
        ({"parents": "root"}, 400, "invalid"),
        ({"name": 3}, 400, "invalid"),
        ({"starred": "yes"}, 400, "invalid"),
        ({"createdTime": "yesterday"}, 400, "invalid"),
        ({"createdTime": "0001-01-01T00:00:00+14:00"}, 400, "invalid"),
        ({"appProperties": {"a": 1}}, 400, "invalid"),
        ({"id": "made-up"}, 400, "invalid"),
        ({"size": "3"}, 403, "fieldNotWritable"),
    ],
)
def test_bad_metadata_is_refused(
    ada: requests.Session, url: str, metadata: dict[str, Any], status: int, reason_given: str
) -> None:
    answer = ada.post(f"{url}{API}/files", json=metadata, timeout=10)

    assert (answer.status_code, reason(answer)) == (status, reason_given)


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_body_that_is_no_object_is_refused(ada: requests.Session, url: str, body: bytes) -> None:
    answer = ada.post(f"{url}{API}/files", data=body, headers={"Content-Type": "application/json"}, timeout=10)

    assert (answer.status_code, reason(answer)) == (400, "parseError")


def test_a_file_is_no_folder_to_put_things_into(ada: requests.Session, url: str) -> None:
    file = make(ada, url, name="file")

    answer = ada.post(f"{url}{API}/files", json={"parents": [file["id"]]}, timeout=10)

    assert (answer.status_code, reason(answer)) == (403, "parentNotAFolder")


def test_folder_cannot_be_moved_into_itself(ada: requests.Session, url: str) -> None:
    outer = make(ada, url, name="outer", mimeType=FOLDER)
    inner = make(ada, url, name="inner", mimeType=FOLDER, parents=[outer["id"]])

    answer = ada.patch(
        f"{url}{API}/files/{outer['id']}",
        params={"addParents": inner["id"], "removeParents": "root"},
        json={},
        timeout=10,
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "1001"}, "pageSize"),
        ({"pageToken": "x"}, "pageToken"),
        ({"orderBy": "cars"}, "orderBy"),
        ({"fields": "cars"}, "fields"),
        ({"q": "garbage"}, "q"),
        ({"q": "not fullText contains 'x'", "orderBy": "name"}, "orderBy"),
        ({"corpora": "cars"}, "corpora"),
    ],
)
def test_bad_listing_call_names_the_parameter(
    ada: requests.Session, url: str, query: dict[str, str], location: str
) -> None:
    answer = ada.get(f"{url}{API}/files", params=query, timeout=10)

    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["location"] == location


def test_page_token_is_bound_to_its_query(ada: requests.Session, url: str) -> None:
    for number in range(3):
        make(ada, url, name=f"file {number}")
    first = ada.get(f"{url}{API}/files?pageSize=1&q=trashed=false", timeout=10).json()

    answer = ada.get(f"{url}{API}/files", params={"pageSize": "1", "pageToken": first["nextPageToken"]}, timeout=10)

    assert answer.status_code == 400


@pytest.mark.parametrize("order", ["", "name", "name desc", "folder,name", "modifiedTime desc,name", "name_natural"])
def test_every_order_pages_through_all_files_once(ada: requests.Session, url: str, order: str) -> None:
    requests.post(f"{url}/_sandbox/{KEY}/generate", json={"count": 101, "seed": 1}, timeout=10)
    query = {"pageSize": "20", "fields": "nextPageToken,files(id)", "orderBy": order}
    seen: list[str] = []
    token: str | None = ""

    while token is not None:
        page = ada.get(f"{url}{API}/files", params=query | ({"pageToken": token} if token else {}), timeout=10).json()
        seen += [file["id"] for file in page["files"]]
        token = page.get("nextPageToken")

    assert len(seen) == len(set(seen)) == 101


def test_listing_of_a_folder_that_is_not_there_is_not_found(ada: requests.Session, url: str) -> None:
    answer = ada.get(f"{url}{API}/files", params={"q": "'nowhere' in parents"}, timeout=10)

    assert (answer.status_code, reason(answer)) == (404, "notFound")


def test_files_made_at_once_by_many_all_count(ada: requests.Session, url: str) -> None:
    def upload(_: int) -> int:
        headers = {"Authorization": str(ada.headers["Authorization"])}
        return requests.post(f"{url}{UPLOAD}?uploadType=media", b"12345", headers=headers, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(upload, range(40)))

    about = ada.get(f"{url}{API}/about?fields=storageQuota(usage)", timeout=10).json()
    assert statuses == {200}
    assert about == {"storageQuota": {"usage": "200"}}


def test_natural_order_counts_as_people_do(ada: requests.Session, url: str) -> None:
    for name in ("file 10", "file 9", "file 009b"):
        make(ada, url, name=name)

    assert listed(ada, url, orderBy="name_natural") == ["file 9", "file 009b", "file 10"]


def test_next_page_token_is_left_out_unless_asked_for(ada: requests.Session, url: str) -> None:
    for number in range(3):
        make(ada, url, name=f"file {number}")

    answer = ada.get(f"{url}{API}/files?pageSize=1&fields=files(id)", timeout=10).json()

    assert set(answer) == {"files"}


def test_full_drive_refuses_more_bytes(ada: requests.Session, url: str) -> None:
    requests.post(f"{url}/_sandbox/{KEY}/quota", json={"limit": 10}, timeout=10)
    first = ada.post(f"{url}{UPLOAD}?uploadType=media", data=b"12345678", timeout=10)

    second = ada.post(f"{url}{UPLOAD}?uploadType=media", data=b"12345678", timeout=10)

    assert first.status_code == 200
    assert (second.status_code, reason(second)) == (403, "storageQuotaExceeded")
    about = ada.get(f"{url}{API}/about?fields=storageQuota", timeout=10).json()
    assert (about["storageQuota"]["limit"], about["storageQuota"]["usage"]) == ("10", "8")


def test_deleting_gives_the_bytes_back(ada: requests.Session, url: str) -> None:
    file = ada.post(f"{url}{UPLOAD}?uploadType=media", data=b"12345678", timeout=10).json()

    ada.delete(f"{url}{API}/files/{file['id']}", timeout=10)

    about = ada.get(f"{url}{API}/about?fields=storageQuota(usage)", timeout=10).json()
    assert about == {"storageQuota": {"usage": "0"}}


def test_generated_file_can_be_read(ada: requests.Session, url: str) -> None:
    requests.post(f"{url}/_sandbox/{KEY}/generate", json={"count": 2, "seed": 5}, timeout=10)
    [file] = ada.get(f"{url}{API}/files?q=mimeType='text/plain'&fields=files(id,size)", timeout=10).json()["files"]

    content = ada.get(f"{url}{API}/files/{file['id']}?alt=media", timeout=10).content

    assert len(content) == int(file["size"])


def test_folder_has_no_bytes_to_download(ada: requests.Session, url: str) -> None:
    folder = make(ada, url, name="folder", mimeType=FOLDER)

    answer = ada.get(f"{url}{API}/files/{folder['id']}?alt=media", timeout=10)

    assert (answer.status_code, reason(answer)) == (403, "fileNotDownloadable")


def test_each_file_appears_once_in_the_changes_at_its_latest(ada: requests.Session, url: str) -> None:
    start = ada.get(f"{url}{API}/changes/startPageToken", timeout=10).json()["startPageToken"]
    file = make(ada, url, name="one")
    ada.patch(f"{url}{API}/files/{file['id']}", json={"name": "two"}, timeout=10)

    changes = ada.get(f"{url}{API}/changes", params={"pageToken": start}, timeout=10).json()["changes"]

    assert [change["file"]["name"] for change in changes] == ["two"]


def test_changes_page_to_the_end(ada: requests.Session, url: str) -> None:
    start = ada.get(f"{url}{API}/changes/startPageToken", timeout=10).json()["startPageToken"]
    for number in range(5):
        make(ada, url, name=f"file {number}")

    first = ada.get(f"{url}{API}/changes", params={"pageToken": start, "pageSize": "3"}, timeout=10).json()
    second = ada.get(f"{url}{API}/changes", params={"pageToken": first["nextPageToken"]}, timeout=10).json()

    assert (len(first["changes"]), len(second["changes"])) == (3, 2)
    assert "newStartPageToken" not in first
    assert "newStartPageToken" in second


@pytest.mark.parametrize("token", ["", "0", "999", "x"])
def test_unknown_change_token_is_refused(ada: requests.Session, url: str, token: str) -> None:
    assert ada.get(f"{url}{API}/changes", params={"pageToken": token}, timeout=10).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/files"), ("POST", "/files/abc"), ("GET", "/files/a/b")]
)
def test_unknown_method_is_not_found(ada: requests.Session, url: str, method: str, path: str) -> None:
    assert ada.request(method, url + API + path, timeout=10).status_code == 404


def test_missing_token_is_refused_with_a_challenge(url: str) -> None:
    answer = requests.get(f"{url}{API}/files", timeout=10)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_lacking_scope_is_named(url: str) -> None:
    with session_for(url, scopes=f"{DRIVE}.metadata.readonly") as reader:
        answer = reader.post(f"{url}{API}/files", json={"name": "x"}, timeout=10)

    error = answer.json()["error"]
    assert (answer.status_code, reason(answer)) == (403, "insufficientPermissions")
    assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]

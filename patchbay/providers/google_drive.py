"""Google Drive, API v3, with the scope `drive.file`: only files and folders that Patchbay itself has made."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, NetworkError
from patchbay.spec import (
    Account,
    Action,
    Answer,
    Api,
    Category,
    Field,
    Kind,
    Meaning,
    OAuth2,
    Pick,
    Picture,
    Provider,
    Request,
    Rule,
    Scope,
    Setup,
    retry_after_s,
)

API = "https://www.googleapis.com/drive/v3"
UPLOAD = "https://www.googleapis.com/upload/drive/v3/files"
FOLDER = "application/vnd.google-apps.folder"
FILE_FIELDS = "id,name,webViewLink"
MULTIPART_LIMIT = 5 * 1024 * 1024
CHUNK = 4 * 1024 * 1024  # a multiple of 256 KiB, as the resumable protocol asks


class Person(msgspec.Struct, rename="camel"):
    permission_id: str
    email_address: str


class About(msgspec.Struct):
    user: Person


class File(msgspec.Struct, rename="camel"):
    id: str
    name: str
    web_view_link: str = ""


class FileList(msgspec.Struct, rename="camel"):
    files: list[File]
    next_page_token: str | None = None


class Ids(msgspec.Struct):
    ids: list[str]


def identify(api: Api) -> Account:
    """Whose Drive it is."""
    user = api.read(api.send(Request("GET", f"{API}/about", params={"fields": "user"})), About).user
    return Account(id=user.permission_id, label=user.email_address)


def list_folders(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the folders that Patchbay has made, by name; inside `folderId` where that is given."""
    query = f"mimeType='{FOLDER}' and trashed=false"
    if values["folderId"]:
        query += f" and '{quoted(values['folderId'])}' in parents"
    if values["search"]:
        query += f" and name contains '{quoted(values['search'])}'"
    params = {
        "q": query,
        "pageSize": str(values["limit"]),
        "orderBy": "name",
        "fields": f"nextPageToken,files({FILE_FIELDS})",
    }
    if values["cursor"]:
        params["pageToken"] = values["cursor"]
    found = api.read(api.send(Request("GET", f"{API}/files", params=params)), FileList)
    folders = [{"id": folder.id, "name": folder.name, "url": folder.web_view_link} for folder in found.files]
    return {"folders": folders, "nextCursor": found.next_page_token}


def create_folder(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a folder. Names need not be unique at Drive, so its id is fetched first: a repeat then finds it made."""
    folder_id = new_file_id(api, "folder_id")
    body = {"id": folder_id, "name": values["folderName"], "mimeType": FOLDER, **placed(values)}
    request = Request(
        "POST", f"{API}/files", params={"fields": FILE_FIELDS}, json=body, is_repeatable=True, accept=(409,)
    )
    folder = made(api, api.send(request), folder_id)
    return {"folderId": folder.id, "folderPath": folder.name, "url": folder.web_view_link}


def upload_file(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Save pictures to a folder (without one: to the top of the Drive)."""
    files = []
    for number, address in enumerate(values["mockupUrls"]):
        picture = api.picture(address)
        if len(picture.content) <= MULTIPART_LIMIT:
            files.append(upload_at_once(api, picture, placed(values), number))
        else:
            files.append(upload_in_chunks(api, picture, placed(values), number))
        api.progress(number + 1, len(values["mockupUrls"]))
    return {
        "fileUrls": [file.web_view_link for file in files],
        "files": [{"id": file.id, "name": file.name} for file in files],
        "folderId": values["folderId"],
    }


def upload_at_once(api: Api, picture: Picture, place: Mapping[str, Any], number: int) -> File:
    """Metadata and bytes in one `multipart/related` request (RFC 2387), made repeatable by an id fetched first."""
    file_id = new_file_id(api, f"file_id_{number}")
    metadata = msgspec.json.encode({"id": file_id, "name": picture.filename, **place})
    boundary = f"patchbay-{file_id}"
    head = f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode()
    middle = f"\r\n--{boundary}\r\nContent-Type: {picture.content_type}\r\n\r\n".encode()
    request = Request(
        "POST",
        UPLOAD,
        params={"uploadType": "multipart", "fields": FILE_FIELDS},
        headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        content=head + metadata + middle + picture.content + f"\r\n--{boundary}--".encode(),
        is_repeatable=True,
        accept=(409,),
    )
    return made(api, api.send(request), file_id)


def upload_in_chunks(api: Api, picture: Picture, place: Mapping[str, Any], number: int) -> File:
    """The resumable protocol: a session, then chunks; after a break it goes on behind the last confirmed byte."""
    name, total = f"session_{number}", len(picture.content)
    session = api.remember(name, lambda: begin_session(api, picture, place))
    answer = put_range(api, session, f"bytes */{total}", b"")
    while answer.status == 308:
        start = confirmed(answer)
        chunk = picture.content[start : start + CHUNK]
        answer = put_range(api, session, f"bytes {start}-{start + len(chunk) - 1}/{total}", chunk)
        api.progress(min(start + len(chunk), total), total)
    if answer.status in {404, 410}:
        api.forget(name)
        raise NetworkError("Drive has dropped the upload session", provider="Google Drive")
    return api.read(answer, File)


def begin_session(api: Api, picture: Picture, place: Mapping[str, Any]) -> str:
    """Announce the upload; the session's address carries its own authority and lives for a week."""
    request = Request(
        "POST",
        UPLOAD,
        params={"uploadType": "resumable", "fields": FILE_FIELDS},
        headers={"X-Upload-Content-Type": picture.content_type, "X-Upload-Content-Length": str(len(picture.content))},
        json={"name": picture.filename, **place},
        is_repeatable=True,
    )
    return api.send(request).headers.get("location", "")


def put_range(api: Api, session: str, content_range: str, content: bytes) -> Answer:
    """Send one chunk, or ask with `bytes */total` how far the session is."""
    headers = {"Content-Range": content_range}
    return api.send(Request("PUT", session, headers=headers, content=content, with_token=False, accept=(308, 404, 410)))


def confirmed(answer: Answer) -> int:
    """The first byte that Drive does not have yet; without a Range header it has none."""
    _, _, last = answer.headers.get("range", "").rpartition("-")
    return int(last) + 1 if last.isdigit() else 0


def new_file_id(api: Api, name: str) -> str:
    """An id for a file to be made, kept under `name` so that a second try uses the same."""

    def fetch() -> str:
        params = {"count": "1", "fields": "ids"}
        return api.read(api.send(Request("GET", f"{API}/files/generateIds", params=params)), Ids).ids[0]

    return api.remember(name, fetch)


def made(api: Api, answer: Answer, file_id: str) -> File:
    """The file that was made now, or by an earlier try whose answer was lost (409: the id is taken)."""
    if answer.status == 409:
        answer = api.send(Request("GET", f"{API}/files/{file_id}", params={"fields": FILE_FIELDS}))
    return api.read(answer, File)


def placed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that puts a file into the folder."""
    return {"parents": [values["folderId"]]} if values["folderId"] else {}


def folder_id(text: str) -> str:
    """The id in the address of a folder's page; anything else as it is."""
    return text.partition("?")[0].rpartition("/folders/")[2] if text.startswith("https://") else text


def quoted(text: str) -> str:
    """Text inside a `q` string."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def reason(means: Meaning, *reasons: str, wait: Callable[[Answer], float | None] | None = None) -> Rule:
    """403 means throttle, permission or quota: the reason tells."""
    return Rule(means, path=("error", "errors", 0, "reason"), values=frozenset(reasons), text=WORDS, wait=wait)


WORDS = ("error", "message")
FOLDER_ID = Field(
    "folderId",
    N_("Folder"),
    required=False,
    pick=Pick("list_folders", "folders", search="search"),
    placeholder=N_("At the top of the Drive, in no folder"),
    normalise=folder_id,
    pattern=r"[A-Za-z0-9_-]{1,128}",
    mismatch=N_("This is not the id or the address of a folder."),
)

PROVIDER = Provider(
    key="google-drive",
    name="Google Drive",
    category=Category.STORAGE,
    description=N_("Save finished mockups to a folder of your Drive."),
    logo="googledrive",
    hosts=("www.googleapis.com", "oauth2.googleapis.com", "accounts.google.com"),
    token_hosts=("www.googleapis.com",),
    credentials_name="GOOGLE",
    auth=OAuth2(
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        scopes=(
            Scope(
                "https://www.googleapis.com/auth/drive.file",
                N_("See and add files that Patchbay makes"),
                N_("to save mockups; your other files stay out of reach"),
            ),
        ),
        uses_pkce=True,
        authorize_params={"access_type": "offline", "prompt": "consent", "include_granted_scopes": "true"},
        access_lifetime_s=3599,
        revoke_url="https://oauth2.googleapis.com/revoke",
    ),
    identify=identify,
    operations=(
        Action(
            "upload_file",
            N_("Save to Drive"),
            upload_file,
            input=(Field("mockupUrls", N_("Mockups"), Kind.PICTURES), FOLDER_ID),
            scopes=("https://www.googleapis.com/auth/drive.file",),
            gives=("fileUrls", "files", "folderId"),
            doing=N_("saving files"),
        ),
        Action(
            "create_folder",
            N_("New folder"),
            create_folder,
            input=(Field("folderName", N_("Name"), max_length=255), FOLDER_ID),
            scopes=("https://www.googleapis.com/auth/drive.file",),
            gives=("folderId", "folderPath", "url"),
            doing=N_("creating a folder"),
        ),
        Action(
            "list_folders",
            N_("List folders"),
            list_folders,
            input=(
                FOLDER_ID,
                Field("search", N_("Search"), required=False, max_length=100),
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=100, lowest=1, highest=1000),
            ),
            scopes=("https://www.googleapis.com/auth/drive.file",),
            gives=("folders", "nextCursor"),
            doing=N_("listing folders"),
            is_read_only=True,
        ),
    ),
    faults=(
        reason(
            Meaning.THROTTLED,
            "userRateLimitExceeded",
            "rateLimitExceeded",
            "sharingRateLimitExceeded",
            wait=retry_after_s,
        ),
        reason(Meaning.UNAVAILABLE, "backendError", "internalError"),
        reason(Meaning.SCOPE_MISSING, "insufficientPermissions", "insufficientScopes"),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=WORDS),
        Rule(Meaning.NOT_FOUND, status=404, text=WORDS),
        Rule(Meaning.REFUSED, status=403, text=WORDS),
        Rule(Meaning.REFUSED, status=400, text=WORDS),
    ),
    access_page="https://myaccount.google.com/permissions",
    setup=Setup(
        register_url="https://console.cloud.google.com/apis/credentials",
        steps=(
            N_("Create a project and turn on the Google Drive API."),
            N_("Fill in the consent screen; the scope below is not sensitive and needs no review."),
            N_("Create credentials of the kind OAuth client id, type web application."),
        ),
        limits=(
            N_("While the consent screen is in testing, connections end after seven days."),
            N_("While it is in testing, only the people that you list as test users can connect."),
        ),
    ),
    sources=(
        "developers.google.com: Using OAuth 2.0 for web server applications (read 2026-11-21)",
        "developers.google.com: Drive API v3 reference; Upload file data; Resolve errors (read 2026-11-21)",
    ),
)

"""Google Drive, API v3, with the scope `drive.file`: only files and folders that Patchbay itself has made.

How it is asked is in `calls`, what is done there in `folders` and `uploads`.
"""

from collections.abc import Callable

import msgspec

from patchbay.errors import N_
from patchbay.providers.google_drive.calls import API
from patchbay.providers.google_drive.folders import create_folder, folder_id, list_folders
from patchbay.providers.google_drive.throttle import THROTTLE
from patchbay.providers.google_drive.uploads import upload_file
from patchbay.spec import (
    Account,
    Action,
    Answer,
    Api,
    Category,
    Field,
    Grace,
    Kind,
    Meaning,
    OAuth2,
    Pick,
    Provider,
    Request,
    Reuse,
    Rule,
    Scope,
    Setup,
    retry_after_s,
)


class Person(msgspec.Struct, rename="camel"):
    permission_id: str
    email_address: str


class About(msgspec.Struct):
    user: Person


def identify(api: Api) -> Account:
    """Whose Drive it is."""
    user = api.read(api.send(Request("GET", f"{API}/about", params={"fields": "user"})), About).user
    return Account(id=user.permission_id, label=user.email_address)


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
        grace=Grace(Reuse.ALWAYS),
        idle_lifetime_s=180 * 24 * 3600,  # "not used for six months"
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
        reason(Meaning.FULL, "storageQuotaExceeded"),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=WORDS),
        Rule(Meaning.NOT_FOUND, status=404, text=WORDS),
        Rule(Meaning.REFUSED, status=403, text=WORDS),
        Rule(Meaning.REFUSED, status=400, text=WORDS),
    ),
    throttle=THROTTLE,
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

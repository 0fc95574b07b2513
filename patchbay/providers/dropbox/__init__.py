"""Dropbox, API v2: pictures are saved to folders of the member's own space or of the team's, never over a file.

How it is spoken to is in `calls`, what is done there in `folders` and `uploads`.
"""

from patchbay.errors import N_
from patchbay.providers.dropbox.calls import API, current_account
from patchbay.providers.dropbox.folders import as_path, create_folder, list_folders, list_spaces
from patchbay.providers.dropbox.throttle import THROTTLE
from patchbay.providers.dropbox.uploads import LONGEST_NAME, NAME_TAKEN, upload_file
from patchbay.spec import (
    Account,
    Action,
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
    wait_in,
)


def identify(api: Api) -> Account:
    """Whose Dropbox it is."""
    account = current_account(api)
    return Account(id=account.account_id, label=account.email)


def revoke(api: Api) -> None:
    """End the access token, its refresh token and the other access tokens that came from it."""
    api.send(Request("POST", f"{API}/auth/token/revoke", is_repeatable=True))


def told(means: Meaning, *summaries: str, says: str = "") -> Rule:
    """409 means anything: the summary tells."""
    return Rule(means, status=409, path=SUMMARY, begins=summaries, text=SUMMARY, says=says)


SUMMARY = ("error_summary",)
NO_NAME = N_("%(provider)s does not take this name or path. Leave out slashes, and keep names below 255 characters.")
NO_SLASH = N_("A name must not hold a slash.")
NO_RIGHT = N_("Your %(provider)s account may not write there. Choose another folder, or ask its owner.")
STALE_SPACE = N_("Your team's space at %(provider)s has changed. Choose the space again in the settings.")
SUSPENDED = N_("%(provider)s does not let this account or app do this. Ask the administrator of your team.")
FOLDER_ID = Field(
    "folderId",
    N_("Folder"),
    required=False,
    pick=Pick("list_folders", "folders", label="path", search="search"),
    pattern=r"id:[^/\s]{1,200}",
    mismatch=N_("A folder's id begins with id:."),
)
FOLDER_PATH = Field(
    "folderPath",
    N_("Path of the folder"),
    required=False,
    help=N_("In place of a folder from the list, e.g. /Shop/Mockups. Folders that are missing are made."),
    placeholder="/Shop/Mockups",
    normalise=as_path,
)

PROVIDER = Provider(
    key="dropbox",
    name="Dropbox",
    category=Category.STORAGE,
    description=N_("Save finished mockups to your Dropbox."),
    logo="dropbox",
    hosts=("api.dropboxapi.com", "content.dropboxapi.com", "www.dropbox.com"),
    token_hosts=("api.dropboxapi.com", "content.dropboxapi.com"),
    credentials_name="DROPBOX",
    auth=OAuth2(
        authorize_url="https://www.dropbox.com/oauth2/authorize",
        token_url="https://api.dropboxapi.com/oauth2/token",
        scopes=(
            Scope("account_info.read", N_("See name and address of the account"), N_("to show whose Dropbox it is")),
            Scope("files.metadata.read", N_("See names of files and folders"), N_("to offer folders to choose from")),
            Scope("files.content.write", N_("Add files and folders"), N_("to save mockups; nothing is replaced")),
        ),
        uses_pkce=True,
        tells_redirect=True,
        authorize_params={"token_access_type": "offline"},
        access_lifetime_s=14400,
        grace=Grace(Reuse.ALWAYS),
        wrong_app=frozenset({"invalid_client: Invalid client_id or client_secret"}),
    ),
    settings=(
        Field(
            "space",
            N_("Space"),
            help=N_("Your own files, or the space that you share with your team."),
            pick=Pick("list_spaces", "spaces"),
        ),
    ),
    identify=identify,
    revoke=revoke,
    setup=Setup(
        register_url="https://www.dropbox.com/developers/apps/create",
        steps=(
            N_("Create an app with scoped access and access to the full Dropbox."),
            N_("On the tab Permissions, tick the scopes shown here and submit: Dropbox allows no others later."),
            N_("On the tab Settings, add the redirect URI shown here."),
            N_("Copy App key and App secret into the form here."),
        ),
        limits=(N_("A new app is in development: apply for production before more than 50 accounts connect to it."),),
    ),
    operations=(
        Action(
            "upload_file",
            N_("Save to Dropbox"),
            upload_file,
            input=(Field("mockupUrls", N_("Mockups"), Kind.PICTURES), FOLDER_ID, FOLDER_PATH),
            scopes=("files.content.write", "files.metadata.read", "account_info.read"),
            gives=("fileUrls", "files", "folderId", "folderPath"),
            doing=N_("saving files"),
        ),
        Action(
            "create_folder",
            N_("New folder"),
            create_folder,
            input=(
                Field("folderName", N_("Name"), max_length=LONGEST_NAME, pattern=r"[^/\\]+", mismatch=NO_SLASH),
                FOLDER_ID,
                FOLDER_PATH,
            ),
            scopes=("files.content.write", "files.metadata.read", "account_info.read"),
            gives=("folderId", "folderPath", "url"),
            doing=N_("creating a folder"),
        ),
        Action(
            "list_folders",
            N_("List folders"),
            list_folders,
            input=(
                FOLDER_ID,
                Field("folderPath", FOLDER_PATH.label, required=False, placeholder="/Shop", normalise=as_path),
                Field("search", N_("Search"), required=False, max_length=100),
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=500, lowest=1, highest=2000),
            ),
            scopes=("files.metadata.read",),
            gives=("folders", "nextCursor"),
            doing=N_("listing folders"),
            is_read_only=True,
        ),
        Action(
            "list_spaces",
            N_("List spaces"),
            list_spaces,
            scopes=("account_info.read",),
            gives=("spaces",),
            doing=N_("listing spaces"),
            is_read_only=True,
        ),
    ),
    faults=(
        Rule(Meaning.THROTTLED, status=429, text=SUMMARY, wait=wait_in("error", "retry_after")),
        told(Meaning.THROTTLED, "too_many_write_operations/", "path/too_many_write_operations/"),
        Rule(Meaning.SCOPE_MISSING, status=401, path=SUMMARY, begins=("missing_scope/",), text=SUMMARY),
        Rule(Meaning.REFUSED, status=401, path=SUMMARY, begins=("route_access_denied/",), text=SUMMARY, says=SUSPENDED),
        Rule(Meaning.TOKEN_EXPIRED, status=401, text=SUMMARY),
        Rule(Meaning.REFUSED, status=403, text=SUMMARY, says=SUSPENDED),
        told(Meaning.FULL, "path/insufficient_space/"),
        told(Meaning.NOT_FOUND, "path/not_found/", "path/not_folder/"),
        told(Meaning.REFUSED, "path/malformed_path/", "path/disallowed_name/", says=NO_NAME),
        told(Meaning.REFUSED, "path/conflict/", says=NAME_TAKEN),
        told(
            Meaning.REFUSED,
            "path/no_write_permission/",
            "path/access_restricted/",
            "path/operation_suppressed/",
            "path/team_folder/",
            says=NO_RIGHT,
        ),
        Rule(Meaning.REFUSED, status=409, text=SUMMARY),
        Rule(Meaning.REFUSED, status=422, text=SUMMARY, says=STALE_SPACE),
        Rule(Meaning.REFUSED, status=400),  # plain text that may quote the Authorization header: never kept
    ),
    throttle=THROTTLE,
    access_page="https://www.dropbox.com/account/connected_apps",
    sources=(
        "github.com/dropbox/dropbox-api-spec: auth, common, files and users.stone of 2026-08-05 (read 2026-11-21)",
        "developers.dropbox.com: OAuth guide; DBX team files guide; error handling guide (read 2026-11-21)",
        "github.com/dropbox/dropbox-sdk-java issue 229: names of at most 255 characters (read 2026-11-21)",
        "github.com/dropbox/dropbox-sdk-python issue 203, dropbox-sdk-php issue 50: OAuth errors (read 2026-11-21)",
    ),
)

"""Figma, REST API v1: frames of files become designs here, or are exported as pictures. Nothing is changed there."""

import msgspec

from patchbay.errors import N_
from patchbay.providers.figma.files import API, file_key, list_files, team_id
from patchbay.providers.figma.frames import export_design, import_design, list_frames, node_ids
from patchbay.providers.figma.throttle import THROTTLE
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
    retry_after_s,
)


class Me(msgspec.Struct):
    id: str
    email: str


def identify(api: Api) -> Account:
    """Whose account it is."""
    me = api.read(api.send(Request("GET", f"{API}/me")), Me)
    return Account(id=me.id, label=me.email)


def refused(status: int, *words: str, means: Meaning = Meaning.REFUSED, says: str = "") -> Rule:
    """An error in the shape `{"status", "err"}` whose text begins so (without `words`: whatever it says)."""
    return Rule(means, status=status, path=("err",), begins=words, text=("err",), says=says)


def frame(pattern: str) -> Field:
    """The field that a frame is picked in."""
    return Field(
        "nodeId",
        N_("Frame"),
        normalise=node_ids,
        pattern=pattern,
        mismatch=N_("This must be the id of a frame, such as 1:2."),
        pick=Pick("list_frames", "frames", label="title", needs=("fileId",)),
    )


def scale(default: str) -> Field:
    """How large to draw; Figma takes 0.01 to 4."""
    sizes = ("0.5", "1", "1.5", "2", "3", "4")
    return Field("scale", N_("Scale"), Kind.CHOICE, choices=sizes, required=False, default=default)


LINK = r"(?:https://(?:www\.)?figma\.com/(?:file|design|board|proto|slides)/\w+(?:[/?#]\S*)?|\w{10,128})"
NODE = r"I?\d+:\d+(?:;\d+:\d+)*"
CONTENT = ("file_content:read",)
FILE = Field(
    "fileId",
    N_("File"),
    normalise=file_key,
    pattern=r"\w{1,128}",
    pick=Pick("list_files", "files", value="key", picture="thumbnail_url", search="search"),
)

PROVIDER = Provider(
    key="figma",
    name="Figma",
    category=Category.DESIGN_TOOLS,
    description=N_("Import frames as designs, export them as pictures."),
    logo="figma",
    hosts=("www.figma.com", "api.figma.com", "figma-alpha-api.s3.us-west-2.amazonaws.com", "s3-alpha*.figma.com"),
    token_hosts=("api.figma.com",),
    credentials_name="FIGMA",
    auth=OAuth2(
        authorize_url="https://www.figma.com/oauth",
        token_url="https://api.figma.com/v1/oauth/token",
        refresh_url="https://api.figma.com/v1/oauth/refresh",
        scopes=(
            Scope("current_user:read", N_("Read your name and e-mail address"), N_("to show which account it is")),
            Scope("file_content:read", N_("Read and draw the contents of files"), N_("to import and export frames")),
            Scope("file_metadata:read", N_("Read the names of files"), N_("to list the files whose links you paste")),
            Scope(
                "projects:read",
                N_("List projects and the files in them"),
                N_("to offer all files of your team"),
                is_optional=True,
                asked_with="team",  # a public app that asks for it is refused as a whole
            ),
        ),
        uses_pkce=True,
        tells_redirect=True,
        client_auth="client_secret_basic",
        access_lifetime_s=90 * 24 * 3600,
        grace=Grace(Reuse.ALWAYS),
        dead_grant=frozenset({"invalid_grant", "Invalid refresh token"}),
        wrong_app=frozenset({"invalid_client", "Invalid client credentials"}),
    ),
    fields=(
        Field(
            "team",
            N_("Team"),
            required=False,
            help=N_(
                "The address of your team's page, to offer all its files. This needs a private app: "
                "leave it empty if Figma refuses, and paste links to files once you are connected."
            ),
            placeholder="https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio",
            normalise=team_id,
            pattern=r"\d{1,32}",
            mismatch=N_("This must be the address of a team's page, or the number in it."),
        ),
    ),
    identify=identify,
    settings=(
        Field(
            "links",
            N_("Links to files"),
            Kind.LONG_TEXT,
            required=False,
            help=N_("Addresses of Figma files, one per line. Figma cannot tell Patchbay which files you have."),
            placeholder="https://www.figma.com/design/fKsq1Harbour8RdTz3Wm0x/Harbour-collection",
            normalise=lambda text: "\n".join(text.split()),
            pattern=rf"{LINK}(?:\n{LINK}){{0,49}}",
            mismatch=N_("Each line must be the address of a Figma file; fifty lines at most."),
            max_length=20_000,
        ),
    ),
    operations=(
        Action(
            "import_design",
            N_("Import a frame"),
            import_design,
            input=(
                FILE,
                frame(NODE),
                scale("2"),
                Field("name", N_("Name here"), required=False, help=N_("Empty: the frame's own."), max_length=200),
            ),
            scopes=CONTENT,
            gives=("assetId", "name", "imageUrl", "width", "height"),
            doing=N_("importing a frame"),
        ),
        Action(
            "export_design",
            N_("Export a frame"),
            export_design,
            input=(
                FILE,
                frame(rf"{NODE}(?:,{NODE}){{0,49}}"),
                Field(
                    "format",
                    N_("Format"),
                    Kind.CHOICE,
                    choices=("png", "jpg", "svg", "pdf"),
                    words=("PNG", "JPG", "SVG", "PDF"),
                    required=False,
                    default="png",
                ),
                scale("1"),
            ),
            scopes=CONTENT,
            gives=("imageUrl", "fileUrls"),
            doing=N_("exporting a frame"),
            is_read_only=True,
        ),
        Action(
            "list_files",
            N_("List files"),
            list_files,
            input=(
                Field("search", N_("Search"), required=False, max_length=100),
                Field("cursor", N_("Cursor"), required=False, max_length=64),
            ),
            scopes=("file_metadata:read",),
            gives=("files", "nextCursor"),
            doing=N_("listing files"),
            is_read_only=True,
        ),
        Action(
            "list_frames",
            N_("List frames"),
            list_frames,
            input=(FILE,),
            scopes=CONTENT,
            gives=("frames", "fileName"),
            doing=N_("listing frames"),
            is_read_only=True,
        ),
    ),
    faults=(
        refused(403, "Token expired", "Invalid token", means=Meaning.TOKEN_EXPIRED),
        refused(403, "Invalid scope", means=Meaning.SCOPE_MISSING),
        refused(403, says=N_("%(provider)s does not let your account see this. Ask its owner to share it with you.")),
        Rule(Meaning.UNAVAILABLE, status=403, media="application/xml"),  # a picture that is not there yet
        refused(
            404,
            means=Meaning.NOT_FOUND,
            says=N_("%(provider)s has no such file, or it is not shared with you. It may have been deleted there."),
        ),
        refused(
            400,
            "Render timeout",
            "Request too large",
            says=N_("This is too much for %(provider)s to draw at once. Choose a smaller scale or fewer frames."),
        ),
        refused(
            400,
            "File type not supported",
            says=N_("%(provider)s does not open files of this kind to apps. Choose a design file."),
        ),
        Rule(Meaning.REFUSED, status=400, path=("message",), text=("message",)),
        refused(400),
        Rule(Meaning.THROTTLED, status=429, text=("err",), wait=retry_after_s),
        refused(500, means=Meaning.UNAVAILABLE),
    ),
    throttle=THROTTLE,
    setup=Setup(
        register_url="https://www.figma.com/developers/apps",
        steps=(
            N_("Sign in to Figma and create a new app."),
            N_("Under OAuth credentials, add the redirect URI and copy client id and client secret."),
            N_(
                "Under OAuth scopes, tick the scopes below; projects:read only if people here shall see a team's files."
            ),
            N_("Publish the app: privately, for your own organisation, or publicly after Figma's review."),
        ),
        limits=(
            N_("A draft works for members of the team that owns it, and for nobody else."),
            N_("Only private apps may list a team's files. With a public app, files are offered by pasted links."),
            N_("On a free plan or a view seat, Figma draws six times a month: a run may then wait for days."),
        ),
    ),
    access_page="https://www.figma.com/settings",
    sources=(
        "@figma/rest-api-spec 0.43.0: openapi/openapi.yaml (read 2026-11-21)",
        "developers.figma.com: Authentication; Scopes; Projects endpoints; Rate limits; Errors (read 2026-11-21)",
    ),
)

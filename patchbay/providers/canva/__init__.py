"""Canva, REST API v1 of the Developers SDK: designs become records and pictures here, pictures become uploads there."""

import msgspec

from patchbay.errors import N_
from patchbay.providers.canva.designs import export_design, import_design, import_designs, list_designs, present_designs
from patchbay.providers.canva.jobs import API
from patchbay.providers.canva.throttle import THROTTLE
from patchbay.providers.canva.uploads import upload_asset
from patchbay.spec import (
    Account,
    Action,
    Answer,
    Api,
    Category,
    Field,
    Grace,
    Import,
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
)

MINUTE_S = 60.0
HOUR_S = 3600.0


class User(msgspec.Struct):
    user_id: str


class Me(msgspec.Struct):
    team_user: User


class Profile(msgspec.Struct):
    display_name: str = ""


class ProfileAnswer(msgspec.Struct):
    profile: Profile


def identify(api: Api) -> Account:
    """Whose account it is: the id is this app's own for the user, an e-mail address is never told."""
    user = api.read(api.send(Request("GET", f"{API}/users/me")), Me).team_user
    profile = api.read(api.send(Request("GET", f"{API}/users/me/profile")), ProfileAnswer).profile
    return Account(id=user.user_id, label=profile.display_name or user.user_id)


def code(means: Meaning, *codes: str, says: str = "") -> Rule:
    """Errors are `{"code", "message"}`."""
    return Rule(means, path=("code",), values=frozenset(codes), text=WORDS, says=says)


def a_minute(_answer: Answer) -> float:
    """Limits are counted by the minute, and no header says how much of it is left."""
    return MINUTE_S


def an_hour(_answer: Answer) -> float:
    """How long to wait before asking whether a day's exports are to be had again."""
    return HOUR_S


WORDS = ("message",)
META, CONTENT = ("design:meta:read",), ("design:content:read",)
DESIGN = Field(
    "designId",
    N_("Design"),
    pattern=r"[a-zA-Z0-9_-]{1,50}",
    mismatch=N_("This is not the id of a Canva design."),
    pick=Pick("list_designs", "designs", picture="thumbnail_url", search="search"),
)

PROVIDER = Provider(
    key="canva",
    name="Canva",
    category=Category.DESIGN_TOOLS,
    description=N_("Bring designs over and send pictures back."),
    hosts=("www.canva.com", "api.canva.com", "export-download.canva.com", "document-export.canva.com"),
    token_hosts=("api.canva.com",),
    credentials_name="CANVA",
    auth=OAuth2(
        authorize_url="https://www.canva.com/api/oauth/authorize",
        token_url="https://api.canva.com/auth/v1/oauth/token",
        scopes=(
            Scope("profile:read", N_("Read your name"), N_("to show which account it is")),
            Scope("design:meta:read", N_("See the titles and dates of your designs"), N_("to list and import them")),
            Scope("design:content:read", N_("Export your designs"), N_("to bring them over as pictures")),
            Scope("asset:write", N_("Add pictures to your uploads"), N_("to send mockups to Canva")),
            Scope("asset:read", N_("See your uploads"), N_("to know that a picture has arrived")),
            Scope("folder:read", N_("See what is in your folders"), N_("to find a picture whose arrival was not told")),
        ),
        uses_pkce=True,
        pkce_method="s256",
        client_auth="client_secret_basic",
        access_lifetime_s=14_400,
        grace=Grace(Reuse.NEVER),  # "Authentication": a refresh token works once, and ends the lineage if it comes back
        wrong_app=frozenset({"invalid_access_token"}),  # so the token endpoint calls a wrong client secret
        revoke_url="https://api.canva.com/auth/v1/oauth/revoke",
    ),
    identify=identify,
    operations=(
        Import(
            "import_designs",
            N_("Import the list of designs"),
            "designs",
            import_designs,
            META,
            doing=N_("importing the list of designs"),
            present=present_designs,
            present_singly=True,
        ),
        Action(
            "list_designs",
            N_("List designs"),
            list_designs,
            input=(
                Field("search", N_("Search"), required=False, max_length=255),
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=50, lowest=1, highest=100),
            ),
            scopes=META,
            gives=("designs", "nextCursor"),
            doing=N_("listing designs"),
            is_read_only=True,
        ),
        Action(
            "import_design",
            N_("Import a design"),
            import_design,
            input=(
                DESIGN,
                Field("page", N_("Page"), Kind.NUMBER, required=False, default=1, lowest=1, highest=500),
            ),
            scopes=META + CONTENT,
            gives=("assetId", "name", "imageUrl", "width", "height"),
            doing=N_("importing a design"),
        ),
        Action(
            "export_design",
            N_("Export a design"),
            export_design,
            input=(
                DESIGN,
                Field(
                    "format",
                    N_("Format"),
                    Kind.CHOICE,
                    required=False,
                    choices=("png", "jpg", "pdf"),
                    words=("PNG", "JPG", "PDF"),
                    default="png",
                ),
                Field(
                    "page",
                    N_("Page"),
                    Kind.NUMBER,
                    required=False,
                    help=N_("Empty: all pages."),
                    lowest=1,
                    highest=500,
                ),
                Field("keep", N_("Keep the pictures as designs here"), Kind.BOOLEAN, required=False, default=False),
            ),
            scopes=META + CONTENT,
            gives=("imageUrl", "fileUrls", "assetIds"),
            doing=N_("exporting a design"),
        ),
        Action(
            "upload_asset",
            N_("Send to Canva"),
            upload_asset,
            input=(Field("mockupUrls", N_("Mockups"), Kind.PICTURES),),
            scopes=("asset:write", "asset:read", "folder:read"),
            gives=("assetIds",),
            doing=N_("uploading pictures"),
        ),
    ),
    faults=(
        code(Meaning.FULL, "quota_exceeded", "max_limit_reached"),
        Rule(Meaning.THROTTLED, status=429, contains=("daily",), text=WORDS, wait=an_hour),
        Rule(Meaning.THROTTLED, status=429, text=WORDS, wait=a_minute),
        code(Meaning.SCOPE_MISSING, "missing_scope"),
        code(Meaning.TOKEN_EXPIRED, "invalid_access_token", "revoked_access_token"),
        code(Meaning.SETUP_WRONG, "invalid_client", "unauthorized_client"),
        code(
            Meaning.REFUSED,
            "license_required",
            says=N_("The design needs a paid %(provider)s plan for this: it has premium elements."),
        ),
        code(
            Meaning.REFUSED,
            "permission_denied",
            "user_role_required",
            says=N_("%(provider)s does not let your account use this. Ask its owner to share it with you."),
        ),
        Rule(
            Meaning.REFUSED,
            status=403,
            media="application/xml",
            says=N_("The download address that %(provider)s gave has ended. Export the design again."),
        ),
        Rule(Meaning.NOT_FOUND, status=404, text=WORDS),
        Rule(Meaning.REFUSED, status=403, text=WORDS),
        Rule(
            Meaning.REFUSED,
            status=400,
            text=WORDS,
            says=N_("%(provider)s cannot do this with the design or picture. The technical details say why."),
        ),
    ),
    throttle=THROTTLE,
    setup=Setup(
        register_url="https://www.canva.com/developers/integrations",
        steps=(
            N_("Turn on multi-factor authentication for your Canva account; without it no app can be made."),
            N_("Sign in to the developer portal and create an integration: public, or private for your own team."),
            N_("Under Credentials, copy the client ID, generate a client secret and copy it: it is shown once."),
            N_("Under Scopes, tick those listed below; writing does not include reading."),
            N_(
                "Under Authentication, add the redirect URL. On your own machine it must begin with http://127.0.0.1, "
                "because localhost is refused."
            ),
        ),
        limits=(
            N_("A public app works for other people only after Canva's review."),
            N_("A private app needs a Canva Enterprise plan and serves your team alone."),
            N_("One person may export 20 times a minute and 500 times a day."),
        ),
    ),
    access_page="https://www.canva.com/settings",
    sources=(
        "canva.dev: Authentication; Creating integrations; Error responses; Assets (read 2026-11-21)",
        "canva-sdks/canva-connect-api-starter-kit: openapi/spec.yml of 2026-08-20, changelog (read 2026-11-21)",
        "canva.com: /.well-known/openid-configuration names the token endpoint under /auth/v1 (read 2026-11-21)",
    ),
)

"""Facebook Pages, Graph API: photos of a page that the connected person manages.

A person connects, and then chooses a page; what is done there is done as the page, with a token of its own that is
asked for in each run and kept nowhere (`photos`).
"""

from patchbay.errors import N_
from patchbay.providers.facebook.photos import (
    API,
    NAME,
    NO_ROLE,
    granted,
    identify,
    import_photos,
    list_pages,
    list_photos,
    present_photos,
    publish_photo,
    revoke,
)
from patchbay.spec import (
    Action,
    Category,
    Field,
    Import,
    Kind,
    Meaning,
    OAuth2,
    Pick,
    Provider,
    Scope,
    Setup,
    TokenCall,
)
from patchbay.spec.graph import FAULTS, THROTTLE, coded, subcoded

LIST, READ, POST = "pages_show_list", "pages_read_engagement", "pages_manage_posts"
TRADED = {
    "grant_type": "fb_exchange_token",
    "client_id": "{client_id}",
    "client_secret": "{client_secret}",
    "fb_exchange_token": "{token}",
}
PAGED = (
    Field("cursor", N_("Cursor"), required=False),
    Field("limit", N_("How many"), Kind.NUMBER, required=False, default=100, lowest=1, highest=100),
)

PROVIDER = Provider(
    key="facebook",
    name=NAME,
    category=Category.MARKETING,
    description=N_("Post mockups to a page that you manage."),
    logo="facebook",
    hosts=("www.facebook.com", "graph.facebook.com", "*.fbcdn.net"),
    token_hosts=("graph.facebook.com",),
    credentials_name="FACEBOOK",
    auth=OAuth2(
        authorize_url="https://www.facebook.com/v26.0/dialog/oauth",
        token_url=f"{API}/oauth/access_token",
        scopes=(
            Scope(LIST, N_("See which pages you manage"), N_("to let you choose the page")),
            Scope(READ, N_("Read what is on your pages"), N_("to show and import the photos of the page")),
            Scope(POST, N_("Publish on your pages"), N_("to post mockups when you ask for it"), is_optional=True),
        ),
        scope_separator=",",
        granted=granted,
        long_lived=TokenCall(f"{API}/oauth/access_token", TRADED),
        access_lifetime_s=60 * 24 * 3600,
        dead_grant=frozenset({"102", "190"}),
        wrong_app=frozenset({"101", "Error validating client secret"}),
        proof_parameter="appsecret_proof",
    ),
    identify=identify,
    revoke=revoke,
    settings=(
        Field(
            "page",
            N_("Page"),
            help=N_("The page on which Patchbay posts."),
            pattern=r"[0-9]{1,20}",
            pick=Pick("list_pages", "pages"),
        ),
    ),
    setup=Setup(
        register_url="https://developers.facebook.com/apps/",
        steps=(
            N_("Create an app of the type Business and add the product Facebook Login."),
            N_("Under “Valid OAuth Redirect URIs”, paste the redirect URI below."),
            N_("Copy the app ID and the app secret from the app's basic settings."),
            N_("While the app is in development, give each person a role in it."),
        ),
        limits=(
            N_("Pages of people without a role in the app need the app review of Meta (advanced access)."),
            N_("The connection lasts for 60 days; then it has to be renewed by connecting again."),
        ),
    ),
    operations=(
        Action(
            "publish_photo",
            N_("Post to a page"),
            publish_photo,
            input=(
                Field("mockupUrls", N_("Picture"), Kind.PICTURES, most=1),
                Field("caption", N_("Text"), Kind.LONG_TEXT, required=False, max_length=5000),
                Field("altText", N_("Description for people who cannot see it"), required=False, max_length=1000),
                Field("draft", N_("Keep as a draft"), Kind.BOOLEAN, required=False, default=False),
            ),
            scopes=(LIST, READ, POST),
            gives=("publishedUrl", "photoId", "isDraft"),
            doing=N_("posting a picture"),
        ),
        Action(
            "list_pages",
            N_("List pages"),
            list_pages,
            input=PAGED,
            scopes=(LIST,),
            gives=("pages", "nextCursor"),
            doing=N_("listing your pages"),
            is_read_only=True,
        ),
        Action(
            "list_photos",
            N_("List photos"),
            list_photos,
            input=PAGED,
            scopes=(LIST, READ),
            gives=("photos", "nextCursor"),
            doing=N_("listing photos"),
            is_read_only=True,
        ),
        Import(
            "import_photos",
            N_("Import photos"),
            "photos",
            import_photos,
            (LIST, READ),
            N_("importing photos"),
            present=present_photos,
            present_singly=True,
        ),
    ),
    faults=(
        subcoded(Meaning.REFUSED, 492, says=NO_ROLE),
        subcoded(Meaning.REFUSED, 1609005, says=N_("%(provider)s could not fetch the picture.")),
        coded(
            Meaning.REFUSED,
            324,
            says=N_("%(provider)s cannot read this file as a picture. It takes JPEG and PNG of at most 10 MB."),
        ),
        *FAULTS,
    ),
    throttle=THROTTLE,
    access_page="https://www.facebook.com/settings?tab=business_tools",
    sources=(
        "developers.facebook.com: Manually Build a Login Flow; Get Long-Lived Tokens (read 2026-11-21)",
        "developers.facebook.com: Graph API, Page Photos; Photo; User Accounts; Permissions (read 2026-11-21)",
        "developers.facebook.com: Graph API, Handling Errors; Rate Limits; Secure Graph API Calls (read 2026-11-21)",
        "developers.facebook.com: Introducing Graph API v26.0 (read 2026-11-21)",
    ),
)

"""Instagram, API with Instagram Login: photos of a professional account, published from an address that Meta fetches.

The token renews itself; a post is a container that is made, awaited and then published, which works once.
"""

from patchbay.errors import N_
from patchbay.providers.instagram.media import identify, import_media, list_media, present_media
from patchbay.providers.instagram.publishing import NAME, QUOTA_FULL, publish_photo
from patchbay.spec import (
    Action,
    Category,
    Field,
    Import,
    Kind,
    Meaning,
    OAuth2,
    Provider,
    Scope,
    Setup,
    TokenCall,
)
from patchbay.spec.graph import FAULTS, THROTTLE, subcoded

BASIC = "instagram_business_basic"
PUBLISH = "instagram_business_content_publish"
REFUSED = {
    2207004: N_("%(provider)s takes pictures of at most 8 MB."),
    2207005: N_("%(provider)s takes JPEG pictures only."),
    2207009: N_("%(provider)s takes pictures between 4:5 and 1.91:1 only. This one is too tall or too wide."),
    2207010: N_("This caption is too long for %(provider)s."),
    2207050: N_("%(provider)s restricts this account for now. Open the app of %(provider)s to see why."),
    2207051: N_("%(provider)s takes this for spam and restricts the account. Open the app of %(provider)s to see why."),
    2207052: N_("%(provider)s could not fetch the picture. Ask your administrator whether it can reach PUBLIC_URL."),
}
RENEWED = {"grant_type": "ig_refresh_token", "access_token": "{token}"}
TRADED = {"grant_type": "ig_exchange_token", "client_secret": "{client_secret}", "access_token": "{token}"}

PROVIDER = Provider(
    key="instagram",
    name=NAME,
    category=Category.MARKETING,
    description=N_("Post mockups to a professional account."),
    logo="instagram",
    hosts=("www.instagram.com", "api.instagram.com", "graph.instagram.com", "*.cdninstagram.com"),
    token_hosts=("graph.instagram.com",),
    credentials_name="INSTAGRAM",
    auth=OAuth2(
        authorize_url="https://www.instagram.com/oauth/authorize",
        token_url="https://api.instagram.com/oauth/access_token",
        scopes=(
            Scope(BASIC, N_("See your profile and your posts"), N_("to show and import what you have posted")),
            Scope(PUBLISH, N_("Publish posts for you"), N_("to post mockups when you ask for it"), is_optional=True),
        ),
        scope_separator=",",
        answer_root=("data", 0),
        scope_key="permissions",
        access_lifetime_s=3600,
        long_lived=TokenCall("https://graph.instagram.com/access_token", TRADED),
        renewal=TokenCall("https://graph.instagram.com/refresh_access_token", RENEWED),
        refresh_ahead_s=15 * 24 * 3600,
        dead_grant=frozenset({"102", "190", "452"}),
        wrong_app=frozenset({"Invalid platform app", "Error validating client secret"}),
    ),
    identify=identify,
    setup=Setup(
        register_url="https://developers.facebook.com/apps/",
        steps=(
            N_("Create an app, add the product Instagram, and open “API setup with Instagram login”."),
            N_("Under “Business login settings”, paste the redirect URI below, exactly as it stands."),
            N_("Copy the Instagram app ID and the Instagram app secret: they are not those of the Meta app."),
            N_("While the app is in development, add each account as a tester and accept the invitation in Instagram."),
        ),
        limits=(
            N_("Only professional accounts (business or creator) can be connected."),
            N_("Accounts of other people need the app review of Meta (advanced access)."),
            N_("Pictures are fetched by Meta: this Patchbay needs a public https address."),
        ),
    ),
    operations=(
        Action(
            "publish_photo",
            N_("Post to Instagram"),
            publish_photo,
            input=(
                Field("mockupUrls", N_("Picture"), Kind.PICTURES, most=1),
                Field("caption", N_("Caption"), Kind.LONG_TEXT, required=False, max_length=2200),
                Field("altText", N_("Description for people who cannot see it"), required=False, max_length=1000),
            ),
            scopes=(PUBLISH,),
            gives=("publishedUrl", "mediaId"),
            doing=N_("posting a picture"),
            needs_public_address=True,
        ),
        Action(
            "list_media",
            N_("List posts"),
            list_media,
            input=(
                Field("cursor", N_("Cursor"), required=False),
                Field("limit", N_("How many"), Kind.NUMBER, required=False, default=25, lowest=1, highest=100),
            ),
            scopes=(BASIC,),
            gives=("media", "nextCursor"),
            doing=N_("listing posts"),
            is_read_only=True,
        ),
        Import(
            "import_media",
            N_("Import posts"),
            "media",
            import_media,
            (BASIC,),
            N_("importing posts"),
            present=present_media,
            present_singly=True,
        ),
    ),
    faults=(
        subcoded(Meaning.FULL, 2207042, says=QUOTA_FULL),
        subcoded(Meaning.UNAVAILABLE, 2207001, 2207003, 2207027, 2207032, 2207053),
        *(subcoded(Meaning.REFUSED, subcode, says=sentence) for subcode, sentence in REFUSED.items()),
        *FAULTS,
    ),
    throttle=THROTTLE,
    access_page="https://www.instagram.com/accounts/manage_access/",
    sources=(
        "developers.facebook.com: Business Login for Instagram; Access Token; Refresh Access Token (read 2026-11-21)",
        "developers.facebook.com: Instagram Platform, Content Publishing; IG Container; Error Codes (read 2026-11-21)",
        "developers.facebook.com: Graph API, Handling Errors; Rate Limits (read 2026-11-21)",
    ),
)

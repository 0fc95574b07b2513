"""What must never be shown: secrets known by the name they stand under, and secrets known by their look.

What does not live here: the log set-up that applies this to every line (`logs`), and the cutting of texts to a length.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

MASK = "***"

_MAX_DEPTH = 12
_SECRET_NAME = re.compile(
    r"access_code|apikey|assertion|auth|code|code_verifier|csrf_token|hmac|id_token|key_hash|nonce|passphrase|passwd"
    r"|session|sig|state|vault_keys"
    r"|(?:.*_)?(?:api_?key|proof|authorization|cookies?|credentials|hmac|passwords?|private_key|secrets?|secret_key|signature"
    r"|tokens?)"
)
_HARMLESS_NAMES = frozenset({"page_token", "next_page_token", "start_page_token"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# In running text a name alone says little ("state=running"), so it must stand in a query, a form or a JSON text.
_IN_QUERY = re.compile(r"(?P<before>(?:^|[?&])(?P<name>[\w%.-]{1,64})=)[^&\s\"'<>#]+")
_IN_JSON = re.compile(r"""(?P<before>(["'])(?P<name>[\w-]{1,64})\2\s*:\s*(["']))(?:\\.|(?!\4)[^\\])*""")
# A page of JSON has hundreds of names: it is looked through for those of secrets only when one may be among them.
_MAY_HAVE_SECRETS = re.compile(
    r"(?:code|key|token|secret|auth|cookie|credential|hmac|nonce|pass|session|sig|state|proof|assertion)[\w-]*[\"']\s*:"
)
# Each with what must be in a text (in small letters) for the pattern to be worth a try; nothing: always.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (
        ("authorization", "cookie", "token"),
        re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*token)(\s*:\s*)[^\r\n\"']+", re.I),
        rf"\1\2{MASK}",
    ),
    (
        ("bearer", "basic", "digest"),
        re.compile(r"\b(Bearer|Basic|Digest)\s+[A-Za-z0-9._~+/=:-]{6,}", re.I),
        rf"\1 {MASK}",
    ),
    (("@",), re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"), MASK),
    (("/in/", "/assets/"), re.compile(r"(?<=/in/)[A-Za-z0-9_-]{16,}|(?<=/assets/)[A-Za-z0-9_.-]{32,}"), MASK),
    (
        (),
        re.compile(
            r"\b(?:"
            r"pb_[A-Za-z0-9_-]{16,}"  # Patchbay's own keys
            r"|shp[a-z]{2}_[A-Za-z0-9_-]{8,}"  # Shopify: access, refresh, custom app, shared secret
            r"|ya29\.[A-Za-z0-9._-]+|1//[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]+|AIza[A-Za-z0-9_-]{30,}"  # Google
            r"|sl\.[A-Za-z0-9._-]{20,}"  # Dropbox
            r"|c[ks]_[0-9A-Za-z]{32,}"  # WooCommerce: consumer key and secret
            r"|\d{5,12}\.[A-Za-z0-9_-]{32,}"  # Etsy: the user's id before the token
            r"|EA[A-Z][A-Za-z0-9]{30,}|IG[A-Z]{1,3}[A-Za-z0-9_-]{30,}"  # Meta: Facebook, Instagram
            r"|fig[dour]_[A-Za-z0-9_-]{16,}"  # Figma
            r"|xox[a-z]-[A-Za-z0-9-]{8,}|(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|gh[opsur]_[A-Za-z0-9]{16,}"
            r"|whsec_[A-Za-z0-9+/=_-]+|whsk_[A-Za-z0-9+/=_-]+"  # Standard Webhooks
            r"|sandbox-secret-[A-Za-z0-9-]+"
            r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # JSON web tokens
            r"|gAAAAA[A-Za-z0-9_-]{40,}={0,2}"  # Fernet: what the vault seals
            r")"
        ),
        MASK,
    ),
)


def is_secret_name(name: str) -> bool:
    """Whether what stands under `name` is hidden; `accessToken`, `Access-Token` and `access_token` are one name."""
    plain = _HUMP.sub("_", name).replace("-", "_").replace(" ", "_").lower()
    return plain not in _HARMLESS_NAMES and _SECRET_NAME.fullmatch(plain) is not None


def redact_text(text: str) -> str:
    """`text` without what looks like a secret; for log lines, error texts and bodies on display."""
    lower = text.lower()
    if "=" in text:
        text = _IN_QUERY.sub(_without_value, text)
    if _MAY_HAVE_SECRETS.search(lower):
        text = _IN_JSON.sub(_without_value, text)
    for needles, pattern, replacement in _PATTERNS:
        if not needles or any(needle in lower for needle in needles):
            text = pattern.sub(replacement, text)
    return text


def _without_value(found: re.Match[str]) -> str:
    return found["before"] + MASK if is_secret_name(found["name"]) else found[0]


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """HTTP headers as they may be shown: names stay, secret values are masked."""
    return {name: MASK if is_secret_name(name) else redact_text(value) for name, value in headers.items()}


def redact_url(url: str) -> str:
    """`url` as it may be shown: no user, no secret in path or query, no fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    netloc = parts.netloc.rpartition("@")[2]
    return redact_text(urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")))


def redact(value: object, depth: int = 0) -> object:
    """A JSON-like `value` as it may be shown: masked by name in mappings, by look in texts, all the way down.

    None and booleans say nothing and stay even under a secret name; bytes and unknown objects are shown as text.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _MAX_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return {key: _redact_entry(str(key), entry, depth) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(entry, depth + 1) for entry in value]
    return redact_text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _redact_entry(name: str, value: object, depth: int) -> object:
    if is_secret_name(name) and value is not None and not isinstance(value, bool):
        return MASK
    return redact(value, depth + 1)

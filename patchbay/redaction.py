"""What must never be shown: secrets known by the name they stand under, and secrets known by their look.

What does not live here: the log set-up that applies this to every line (`logs`), and the cutting of texts to a length.
"""

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from urllib.parse import quote_plus, unquote, unquote_plus, urlsplit, urlunsplit

MASK = "***"

_MAX_DEPTH = 12
_LAYERS = 3
"""So often a value may be percent-encoded and still be looked into."""
_SECRET_NAME = re.compile(
    r"access_code|apikey|assertion|auth|code|code_verifier|csrf_token|hmac|id_token|key_hash|nonce|passphrase|passwd"
    r"|session|sig|state|upload_id|vault_keys"
    r"|(?:.*_)?(?:api_?key|proof|authorization|cookies?|credentials|hmac|passwords?|private_key|secrets?|secret_key|signature"
    r"|tokens?)"
)
_HARMLESS_NAMES = frozenset({"page_token", "next_page_token", "start_page_token"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# In running text a name alone says little ("state=running"), so it must stand in a query, a form or a JSON text.
_IN_QUERY = re.compile(
    r"(?P<before>(?:[?&;#]|\\u0026)(?P<name>[\w%.-]{1,64})=)(?P<value>(?:[^&\s\"'<>#\\]+|\\(?!u0026|[\"']))+)"
)
_FIRST_IN_FORM = re.compile(r"\A(?P<before>(?P<name>[\w%.-]{1,64})=)(?P<value>[^&\s\"'<>#]+)")
_IN_JSON = re.compile(
    r"""(?P<before>(["'])(?P<name>[\w-]{1,64})\2\s*:\s*["'])"""
    r"""(?:(?<=")[^"\\]*(?:\\.[^"\\]*)*|(?<=')[^'\\]*(?:\\.[^'\\]*)*)""",
    re.DOTALL,
)
_IN_JSON_IN_JSON = re.compile(
    r"""(?P<before>(\\{1,15}["'])(?P<name>[\w-]{1,64})\2\s*:\s*\2)(?:[^"'\\]+|\\{1,15}[^"'\\])*"""
)
_NAMED_IN_JSON = re.compile(
    r"""(?P<before>"name"\s*:\s*"(?P<name>[\w-]{1,64})"\s*,\s*"value"\s*:\s*")[^"\\]*(?:\\.[^"\\]*)*"""
)
# A page of JSON has hundreds of names, few of them of secrets: to look at the names alone is much cheaper.
_NAMES_IN_JSON = tuple(re.compile(rf"{quote}([\w-]{{1,64}}){quote}\s*:\s*[\"']") for quote in "\"'")

# All that follows is searched for by fixed letters first: in a long text that is thirty times as fast as the pattern.
_AFTER_WORDS = tuple(
    (word, re.compile(rf"{word}{then}"), re.compile(rf"\b{pattern}", re.I), rf"\1{MASK}")
    for word, then, pattern in (
        ("authorization", r"\s*:", r"((?:proxy-)?authorization\s*:\s*)[^\r\n\"']+"),
        ("cookie", r"\s*:", r"((?:set-)?cookie\s*:\s*)[^\r\n\"']+"),
        ("token", r"\s*:", r"(x-[a-z-]*token\s*:\s*)[^\r\n\"']+"),
        ("bearer", r"\s", r"(bearer\s+)[A-Za-z0-9._~+/=:-]{6,}"),
        ("basic", r"\s", r"(basic\s+)[A-Za-z0-9._~+/=:-]{6,}"),
        ("digest", r"\s", r"(digest\s+)[A-Za-z0-9._~+/=:-]{6,}"),
    )
)
_IN_ADDRESS = tuple(
    (before, re.compile(f"({before}){pattern}"), rf"\1{MASK}")
    for before, pattern in (
        ("://", r"[^/\s:@]*:[^/\s@]+(?=@)"),
        ("/in/", r"[A-Za-z0-9_-]{16,}"),
        ("/assets/", r"[A-Za-z0-9_.-]{32,}"),
    )
)
_BY_LOOK = (
    *(
        (beginning, re.compile(rf"{beginning}(?<!\w{beginning}){then}"))
        for beginnings, then in (
            ("pb_", r"[A-Za-z0-9_-]{16,}"),  # Patchbay's own keys
            ("shp", r"[a-z]{2}_[A-Za-z0-9_-]{8,}"),  # Shopify: access, refresh, custom app, shared secret
            ("ya29.", r"[A-Za-z0-9._-]{8,}"),  # Google, this and the next three
            ("1//", r"[A-Za-z0-9_-]{16,}"),
            ("GOCSPX-", r"[A-Za-z0-9_-]{6,}"),
            ("AIza", r"[A-Za-z0-9_-]{30,}"),
            ("sl.", r"[A-Za-z0-9._-]{20,}"),  # Dropbox
            ("ck_ cs_", r"[0-9A-Za-z]{32,}"),  # WooCommerce: consumer key and secret
            ("EA", r"[A-Z][A-Za-z0-9]{30,}"),  # Meta: Facebook, and in the next line Instagram
            ("IG", r"[A-Z]{1,3}[A-Za-z0-9_-]{30,}"),
            ("figd_ figo_ figu_ figr_", r"[A-Za-z0-9_-]{16,}"),  # Figma
            ("xox", r"[a-z]-[A-Za-z0-9-]{8,}"),
            ("sk_ rk_", r"(?:live|test)_[A-Za-z0-9]{8,}"),
            ("gho_ ghp_ ghs_ ghu_ ghr_", r"[A-Za-z0-9]{16,}"),
            ("whsec_ whsk_", r"[A-Za-z0-9+/=_-]{8,}"),  # Standard Webhooks
            ("sandbox-secret-", r"[A-Za-z0-9-]+"),
            ("eyJ", r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),  # JSON web tokens
            ("gAAAAA", r"[A-Za-z0-9_-]{40,}={0,2}"),  # Fernet: what the vault seals
        )
        for beginning in beginnings.split()
    ),
    (".", re.compile(r"\b\d{5,12}\.[A-Za-z0-9_-]{32,}")),  # Etsy: the user's id before the token
)
_SHORTEST_LOOK = b"x" * 13
"""None of these is shorter, so only words of that length are looked at: of a page they are the smallest part."""
_SHAPE = bytes(ord("x") if re.match(rb"[A-Za-z0-9_.+/=-]", bytes([code])) else ord(" ") for code in range(256))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what stands under `name` is hidden; `accessToken`, `Access-Token` and `access_token` are one name."""
    plain = _HUMP.sub("_", name).replace("-", "_").replace(" ", "_").lower()
    return plain not in _HARMLESS_NAMES and _SECRET_NAME.fullmatch(plain) is not None


def redact_text(text: str) -> str:
    """`text` without what looks like a secret; for log lines, error texts and bodies on display."""
    return _redacted(text, _LAYERS)


def _redacted(text: str, layers: int) -> str:
    lower = text.lower()
    if "=" in text:
        text = _FIRST_IN_FORM.sub(partial(_shown_field, layers=layers), text)
        text = _IN_QUERY.sub(partial(_shown_field, layers=layers), text)
    if any(is_secret_name(name) for names in _NAMES_IN_JSON for name in names.findall(text)):
        text = _IN_JSON.sub(_without_value, text)
    if "\\" in text and ('\\"' in text or "\\'" in text):  # a single letter is found ten times as fast
        text = _IN_JSON_IN_JSON.sub(_without_value, text)
    if '"value"' in text:
        text = _NAMED_IN_JSON.sub(_without_value, text)
    for word, said, pattern, instead in _AFTER_WORDS:
        if word in lower and said.search(lower):
            text = pattern.sub(instead, text)
    for before, pattern, instead in _IN_ADDRESS:
        if before in text:
            text = pattern.sub(instead, text)
    long_words = _long_words(text)
    for part, pattern in _BY_LOOK:
        if part in long_words and pattern.search(long_words):
            text = pattern.sub(MASK, text)
    return text


def _long_words(text: str) -> str:
    """All words that are long enough to be a secret by their look, with blanks between them."""
    shape, words = text.encode("latin-1", "replace").translate(_SHAPE) + b" ", []
    at = shape.find(_SHORTEST_LOOK)
    while at >= 0:
        end = shape.find(b" ", at)  # there is one behind the last word
        words.append(text[at:end])
        at = shape.find(_SHORTEST_LOOK, end)
    return " ".join(words)


def _without_value(found: re.Match[str]) -> str:
    return found["before"] + MASK if is_secret_name(found["name"]) else found[0]


def _shown_field(found: re.Match[str], layers: int) -> str:
    """A field of a query or form, without a secret under its name or, beneath some layers of encoding, in its value."""
    if is_secret_name(unquote(found["name"])):
        return found["before"] + MASK
    plain, left = found["value"], layers
    while left and "%" in plain:
        plain, left = unquote_plus(plain), left - 1
    shown = plain if left == layers else _redacted(plain, left)
    return found[0] if shown == plain else found["before"] + quote_plus(shown, safe="*")


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """HTTP headers as they may be shown: names stay, secret values are masked."""
    return {name: MASK if is_secret_name(name) else _redact_value(value) for name, value in headers.items()}


@lru_cache(maxsize=256)
def _redact_value(value: str) -> str:
    """A platform's answers mostly have the same headers, again and again."""
    return redact_text(value)


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
        named = str(value.get("name", "")) if "value" in value else ""  # as in `{"name": "signature", "value": …}`
        return {key: _redact_entry(named if key == "value" else str(key), entry, depth) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(entry, depth + 1) for entry in value]
    return redact_text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _redact_entry(name: str, value: object, depth: int) -> object:
    if is_secret_name(name) and value is not None and not isinstance(value, bool):
        return MASK
    return redact(value, depth + 1)

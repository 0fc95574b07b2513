"""OpenID identity tokens, the keys to check them with, and the discovery document that names both.

Sources: OpenID Connect Core §2 and Google Identity "OpenID Connect" (read 2026-11). Who the person is says `people`.
"""

import time
from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from sandbox.store import Document

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ISSUER = "https://accounts.google.com"
_KEY_ID = "sandbox"
_LIFETIME_S = 3599


def signed(claims: Document, client_id: str, access_token: str, nonce: str | None) -> str:
    """The RS256 token that goes beside an access token when `openid` was granted."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    now = int(time.time())
    half_of_digest = sha256(access_token.encode()).digest()[:16]
    about = {"iss": ISSUER, "azp": client_id, "aud": client_id, "iat": now, "exp": now + _LIFETIME_S}
    own = {"at_hash": _packed(half_of_digest)} | ({"nonce": nonce} if nonce else {})
    head = {"alg": "RS256", "kid": _KEY_ID, "typ": "JWT"}
    text = ".".join(_packed(msgspec.json.encode(part)) for part in (head, about | claims | own))
    return f"{text}.{_packed(_key().sign(text.encode(), PKCS1v15(), SHA256()))}"


def certificates() -> Document:
    """The key set; it changes with each start of the sandbox, as the platform's own does every few days."""
    numbers = _key().public_key().public_numbers()
    modulus, exponent = (_packed(value.to_bytes(size, "big")) for value, size in ((numbers.n, 256), (numbers.e, 3)))
    return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": _KEY_ID, "n": modulus, "e": exponent}]}


def discovery() -> Document:
    """The document at `/.well-known/openid-configuration`."""
    return {
        "issuer": ISSUER,
        "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
        "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    }


@cache
def _key() -> "RSAPrivateKey":
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(public_exponent=65537, key_size=2048)


def _packed(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()

"""An app with a token for one of the sandbox's Etsy sellers, for the tests of Etsy beside this file.

What Etsy must answer is said in those tests.
"""

import base64
import hashlib
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from PIL import Image

KEYSTRING, SECRET = "sandbox-etsy", "sandbox-secret-etsy"
BACK = "http://127.0.0.1:8000/integrations/callback"
ADA, BEN = 90210001, 90210002
SHOP, BENS_SHOP = 50310001, 50310002
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Seller:
    """Speaks to the API as an app, with a token unless told otherwise."""

    def __init__(self, url: str, **wanted: Any) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.headers["x-api-key"] = f"{KEYSTRING}:{SECRET}"
        self.token: dict[str, Any] = self.control("POST", "token", json=wanted).json()
        self.http.headers["Authorization"] = f"Bearer {self.token['access_token']}"

    def control(self, method: str, call: str, **named: Any) -> requests.Response:
        """A control call of the sandbox."""
        return requests.request(method, f"{self.url}/_sandbox/etsy/{call}", timeout=30, **named)

    def call(self, method: str, resource: str, **named: Any) -> requests.Response:
        """A call of Open API v3; `resource` is the path behind /v3/application/."""
        return self.http.request(method, f"{self.url}/openapi.etsy.com/v3/application/{resource}", timeout=30, **named)

    def listings(self, state: str = "active", **query: Any) -> Any:
        """One page of the seller's listings."""
        answer = self.call("GET", f"shops/{SHOP}/listings", params={"state": state, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def draft(self, **changed: Any) -> requests.Response:
        """Create a draft that has all it needs, but for what is changed (None: left out)."""
        values = {**DRAFT, **changed}
        form = {name: value for name, value in values.items() if value is not None}
        return self.call("POST", f"shops/{SHOP}/listings", data=form)

    def upload(self, listing_id: int, content: bytes | None = None, **form: Any) -> requests.Response:
        """Add a picture to a listing."""
        files = {"image": ("a.png", picture() if content is None else content, "image/png")}
        return self.call("POST", f"shops/{SHOP}/listings/{listing_id}/images", files=files, data=form)


DRAFT = {
    "quantity": "5",
    "title": "Fern Mug",
    "description": "A mug with a fern.",
    "price": "12.50",
    "who_made": "i_did",
    "when_made": "made_to_order",
    "taxonomy_id": "1062",
    "shipping_profile_id": "50310001001",
}


def picture(colour: tuple[int, int, int] = (200, 10, 10), size: tuple[int, int] = (60, 40)) -> bytes:
    """A PNG of one colour."""
    target = BytesIO()
    Image.new("RGB", size, colour).save(target, "PNG")
    return target.getvalue()


def authorize(url: str, **changed: str | None) -> requests.Response:
    """Ask for consent and allow it at once."""
    query = {
        "response_type": "code",
        "client_id": KEYSTRING,
        "redirect_uri": BACK,
        "scope": "listings_r listings_w shops_r",
        "state": "nonce-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "sandbox_consent": "allow",
        **changed,
    }
    wanted = {name: text for name, text in query.items() if text is not None}
    return requests.get(f"{url}/www.etsy.com/oauth/connect", params=wanted, allow_redirects=False, timeout=10)


def callback(answer: requests.Response) -> dict[str, str]:
    """The query that the browser is sent back with."""
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def exchange(url: str, **fields: str) -> requests.Response:
    """A call of the token endpoint, by default the exchange of a code."""
    form = {"grant_type": "authorization_code", "client_id": KEYSTRING, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return requests.post(f"{url}/api.etsy.com/v3/public/oauth/token", data={**form, **fields}, timeout=10)


def refresh(url: str, token: str, client_id: str = KEYSTRING) -> requests.Response:
    """A refresh as the documentation shows it."""
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
    return requests.post(f"{url}/api.etsy.com/v3/public/oauth/token", data=form, timeout=10)

"""What the tests of pages share: htmx's headers, posting with a token, reading what a page holds."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://localhost/integrations"}


def post(client: FlaskClient, path: str, token: str, **fields: Any) -> TestResponse:
    """Post a form as a page without script does."""
    return client.post(path, data={"csrf_token": token, **fields})


def htmx_post(client: FlaskClient, path: str, token: str, **fields: Any) -> TestResponse:
    """Post a form as htmx does, to swap the answer into the page."""
    return client.post(path, data={"csrf_token": token, **fields}, headers=HTMX)


def text_of(response: TestResponse) -> str:
    """The words of the page: no tags, entities resolved, white space folded."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def token_in(response: TestResponse) -> str:
    """The CSRF token that the page carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', response.get_data(as_text=True))
    assert found is not None
    return found[1]


def address_in(response: TestResponse, pattern: str) -> str:
    """The first address in the page that matches."""
    found = re.search(pattern, response.get_data(as_text=True))
    assert found is not None
    return unescape(found[0])


def path_of(response: TestResponse) -> str:
    """Path and query of where the answer sends the browser."""
    parts = urlsplit(response.headers["Location"])
    return f"{parts.path}?{parts.query}" if parts.query else parts.path

"""What must never be shown, by name and by look, and what must stay readable."""

import time

import pytest

from patchbay.redaction import MASK, is_secret_name, redact, redact_headers, redact_text, redact_url

SECRETS = [
    "pb_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
    "shpat_0123456789abcdef0123456789abcdef",
    "shprt_0123456789abcdef",
    "shpss_0123456789abcdef",
    "ya29.a0AfH6SMB-x_y",
    "1//0gAbCdEfGhIjKlMnOpQr",
    "GOCSPX-abc_DEF-123",
    "sl.B1a2b3c4d5e6f7g8h9i0j1k2",
    "figd_abcdefghijklmnopqrst",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sandbox-secret-google-drive",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def",
    "gAAAAABmZm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zg==",
]


@pytest.mark.parametrize(
    "name",
    [
        "authorization", "Authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "token", "access_token",
        "accessToken", "refreshToken", "X-Shopify-Access-Token", "client_secret", "clientSecret", "code", "state",
        "code_verifier", "password", "new_password", "X-Api-Key", "apiKey", "hmac", "X-Shopify-Hmac-Sha256-Signature",
        "SECRET_KEY", "VAULT_KEYS", "tokens", "session", "nonce", "id_token", "private_key",
    ],
)  # fmt: skip
def test_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "status", "error_code", "status_code", "country_code", "page_token", "nextPageToken", "token_type",
        "token_tail", "expires_in", "scope", "statement", "session_count", "codec", "run_id", "request_id", "author",
    ],
)  # fmt: skip
def test_name_of_no_secret_stays(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "refused {} at once", "https://x.example/p/{}?a=b", "{{'k': '{}'}}"])
def test_secret_is_known_by_its_look(secret: str, text: str) -> None:
    shown = redact_text(text.format(secret))

    assert secret not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: ***"),
        ("sent Bearer abc.def-123 there", "sent Bearer *** there"),
        ("Cookie: session=abc; other=def", "Cookie: ***"),
        ("GET /cb?code=abc&shop=a.example&state=xyz", "GET /cb?code=***&shop=a.example&state=***"),
        ("refresh_token=abc&grant_type=refresh_token", "refresh_token=***&grant_type=refresh_token"),
        ("?X-Goog-Signature=abc&x=1", "?X-Goog-Signature=***&x=1"),
        ('{"access_token": "abc", "scope": "read"}', '{"access_token": "***", "scope": "read"}'),
        ('{"refreshToken":"a\\"bc","n":1}', '{"refreshToken":"***","n":1}'),
        ("{'client_secret': 'abc', 'n': 1}", "{'client_secret': '***', 'n': 1}"),
        ("postgresql://ada:hunter2@db/patchbay", "postgresql://***@db/patchbay"),
        ("redis://:hunter2@cache:6379/0", "redis://***@cache:6379/0"),
        ("POST /in/Zm9vYmFyYmF6cXV4Zm9v", "POST /in/***"),
        (
            '{"raw":"{\\"access_token\\":\\"a\\\\/bc\\",\\"n\\":1}"}',
            '{"raw":"{\\"access_token\\":\\"***\\",\\"n\\":1}"}',
        ),
        ('[{"name": "x-goog-signature", "value": "abc"}]', '[{"name": "x-goog-signature", "value": "***"}]'),
        ('{"url":"https://x.example/?a=1\\u0026sig=abc"}', '{"url":"https://x.example/?a=1\\u0026sig=***"}'),
        ('<a href="/k?a=1&amp;Signature=abc">', '<a href="/k?a=1&amp;Signature=***">'),
        ("to https://x.example/#access_token=abc", "to https://x.example/#access_token=***"),
        ("?access%5Ftoken=abc", "?access%5Ftoken=***"),
        ("next=https%3A%2F%2Fx.example%2F%3Fcode%3Dabc", "next=https%3A%2F%2Fx.example%2F%3Fcode%3D***"),
        ("next=%252Fcb%253Fcode%253Dabc", "next=%2Fcb%3Fcode%3D***"),
        ("?q=100%25+cotton&shop=a%2Fb", "?q=100%25+cotton&shop=a%2Fb"),
        ("PUT /files?upload_id=abc", "PUT /files?upload_id=***"),
    ],
)
def test_secret_is_known_by_what_stands_before_it(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "the state is active, code 404",
        "turned from state=queued to state=running",
        "Imported 250 of 318 products in 1.2 s",
        "https://cdn.shopify.com/s/files/1/0001/products/mug.jpg?v=1700000000&width=300",
        '{"title": "Basic tee", "status": "active"}',
        "run_01JD0000000000000000000000 of con_01JD0000000000000000000000",
        "",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert redact_text(text) == text


def test_nested_values_are_masked_all_the_way_down() -> None:
    shown = redact(
        {
            "shop": "demo",
            "answer": [{"access_token": "abc", "scope": "read"}],
            "tokens": ["a", "b"],
            "fields": [{"name": "signature", "value": "abc"}, {"name": "key", "value": "mug.jpg"}],
            "raw": b"Bearer abcdef",
        }
    )

    assert shown == {
        "shop": "demo",
        "answer": [{"access_token": MASK, "scope": "read"}],
        "tokens": MASK,
        "fields": [{"name": "signature", "value": MASK}, {"name": "key", "value": "mug.jpg"}],
        "raw": f"Bearer {MASK}",
    }


def test_absent_and_yes_or_no_values_stay_under_a_secret_name() -> None:
    assert redact({"refresh_token": None, "password": True, "code": 123456}) == {
        "refresh_token": None,
        "password": True,
        "code": MASK,
    }


def test_value_that_contains_itself_comes_to_an_end() -> None:
    loop: list[object] = ["Bearer abcdef"]
    loop.append(loop)

    assert "abcdef" not in str(redact(loop))


def test_headers_keep_their_names() -> None:
    shown = redact_headers({"Authorization": "Basic abc", "Accept": "text/html", "X-Note": "pb_" + "a" * 43})

    assert shown == {"Authorization": MASK, "Accept": "text/html", "X-Note": MASK}


def test_address_loses_user_fragment_and_secret_parameters() -> None:
    shown = redact_url("https://ada:pw@shop.example/cb?code=abc&shop=x#access_token=abc")

    assert shown == "https://shop.example/cb?code=***&shop=x"


def test_address_that_is_none_is_masked() -> None:
    assert redact_url("https://[broken/") == MASK


@pytest.mark.parametrize(
    "text",
    [
        "?" + "a-" * 20_000,
        "?" + "a_" * 20_000,
        '"' * 20_000,
        "://" + ":" * 20_000,
        "1//" * 9_000,
        "\\" * 20_000 + '"',
        '\\"a\\":\\"' * 4_000,
        '"name":"a","value":"' * 2_000,
        "a=%" + "25" * 9_000 + "3Db",
        "?a=%3F" * 3_000,
    ],
)
def test_long_odd_text_takes_no_time(text: str) -> None:
    began = time.process_time()

    redact_text(text)

    assert time.process_time() - began < 1.0

"""Uploading designs and making mockups over the JSON API."""

from collections.abc import Callable, Mapping
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from PIL import Image
from urllib3.filepost import encode_multipart_formdata
from werkzeug.test import TestResponse

from patchbay.models import User

KeyFor = Callable[..., Mapping[str, str]]
MIB = 1024 * 1024


def picture(width: int = 60, height: int = 40) -> bytes:
    """A PNG of that size."""
    file = BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def upload(
    client: FlaskClient, headers: Mapping[str, str], content: bytes, name: str = "Blue Fox.png", **fields: str
) -> TestResponse:
    """Send a file as a browser would. Encoded here, because the test client forgets to close a large one."""
    body, content_type = encode_multipart_formdata({"file": (name, content), **fields})
    return client.post("/api/assets", headers=headers, data=body, content_type=content_type)


def announced(client: FlaskClient, path: str, size: int, headers: Mapping[str, str]) -> TestResponse:
    """Say that so many bytes of a form will follow."""
    length = {"CONTENT_LENGTH": str(size)}
    form = "multipart/form-data; boundary=cut"
    return client.post(path, headers=headers, content_type=form, environ_overrides=length)


def test_an_upload_answers_the_design_with_an_address_that_needs_no_login(
    client: FlaskClient, ada: User, key_for: KeyFor
) -> None:
    answer = upload(client, key_for(ada, "assets:write"), picture())

    assert answer.status_code == 201
    design = answer.get_json()
    assert design["id"].startswith("ast_")
    assert (design["kind"], design["name"]) == ("design", "Blue Fox.png")
    assert (design["width"], design["height"], design["contentType"]) == (60, 40, "image/png")
    assert design["sizeBytes"] > 0
    assert urlsplit(design["url"]).scheme in {"http", "https"}
    fetched = client.get(urlsplit(design["url"]).path, buffered=True)
    assert (fetched.status_code, fetched.mimetype) == (200, "image/png")


def test_the_own_user_id_may_be_sent_along(client: FlaskClient, ada: User, ben: User, key_for: KeyFor) -> None:
    own = upload(client, key_for(ada), picture(), userId=ada.id)
    anothers = upload(client, key_for(ada), picture(), userId=ben.id)

    assert (own.status_code, anothers.status_code) == (201, 403)


@pytest.mark.parametrize(
    ("content", "name", "status"),
    [
        (b"", "empty.png", 422),
        (b"MZ\x90\x00" * 10, "program.png", 422),
        (picture(), "picture.svg", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "x.png", 422),
        (picture()[:40], "cut.png", 422),
    ],
)
def test_what_is_not_a_usable_picture_is_refused(
    client: FlaskClient, ada: User, key_for: KeyFor, content: bytes, name: str, status: int
) -> None:
    answer = upload(client, key_for(ada), content, name)

    assert (answer.status_code, list(answer.get_json()["fields"])) == (status, ["file"])


def test_a_path_in_the_name_is_dropped(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = upload(client, key_for(ada), picture(), "../../etc/fox.png")

    assert answer.get_json()["name"] == "fox.png"


def test_a_picture_may_be_larger_than_any_other_body(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = upload(client, key_for(ada), picture() + b"\0" * 22 * MIB)

    assert (answer.status_code, answer.get_json()["sizeBytes"]) == (201, len(picture()))


def test_more_than_256_megabytes_are_too_large(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = announced(client, "/api/assets", 258 * MIB, key_for(ada))

    assert (answer.status_code, answer.get_json()["type"]) == (413, "TOO_LARGE")
    assert "256 MB" in answer.get_json()["userMessage"]


def test_of_a_stranger_no_large_body_is_read(client: FlaskClient) -> None:
    statuses = [announced(client, path, 22 * MIB, {}).status_code for path in ("/api/assets", "/mockups/upload")]

    assert statuses == [401, 413]


def test_another_kind_of_body_is_refused(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    headers = key_for(ada)

    raw = client.post("/api/assets", headers=headers, data=picture(), content_type="image/png")
    json = client.post("/api/assets", headers=headers, json={})

    assert (raw.status_code, json.status_code) == (415, 415)
    assert "multipart/form-data" in raw.get_json()["userMessage"]


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({}, ["file"]),
        ({"file": "only text"}, ["file"]),
        ({"picture": (BytesIO(picture()), "a.png")}, ["file", "picture"]),
        ({"file": [(BytesIO(picture()), "a.png"), (BytesIO(picture()), "b.png")]}, ["file"]),
    ],
    ids=["nothing", "text", "another field", "two files"],
)
def test_exactly_one_file_is_taken(
    client: FlaskClient, ada: User, key_for: KeyFor, form: dict[str, object], fields: list[str]
) -> None:
    answer = client.post("/api/assets", headers=key_for(ada), data=form, content_type="multipart/form-data")

    assert (answer.status_code, sorted(answer.get_json()["fields"])) == (422, fields)


def test_the_list_pages_through_the_users_own_assets_of_a_kind(
    client: FlaskClient, ada: User, cleo: User, key_for: KeyFor
) -> None:
    headers = key_for(ada, "assets:read", "assets:write")
    made = [upload(client, headers, picture(width)).get_json()["id"] for width in (10, 20, 30)]

    first = client.get("/api/assets?kind=design&limit=2", headers=headers).get_json()
    rest = client.get(f"/api/assets?kind=design&limit=2&cursor={first['nextCursor']}", headers=headers).get_json()

    assert [asset["id"] for asset in first["data"] + rest["data"]] == made[::-1]
    assert rest["nextCursor"] is None
    assert client.get("/api/assets?kind=mockup", headers=headers).get_json()["data"] == []
    assert client.get("/api/assets", headers=key_for(cleo)).get_json()["data"] == []


@pytest.mark.parametrize("query", ["kind=photo", "limit=0", "cursor=x"])
def test_a_filter_that_cannot_be_is_refused(client: FlaskClient, ada: User, key_for: KeyFor, query: str) -> None:
    answer = client.get(f"/api/assets?{query}", headers=key_for(ada))

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, [query.partition("=")[0]])


def test_templates_have_an_id_and_a_name(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    templates = client.get("/api/templates", headers=key_for(ada, "assets:read")).get_json()["data"]

    assert len(templates) >= 6
    assert all(set(template) == {"id", "name"} and template["name"] for template in templates)


def test_a_mockup_is_made_from_a_design_and_a_template(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    headers = key_for(ada, "assets:read", "assets:write")
    design = upload(client, headers, picture()).get_json()
    body = {"designId": design["id"], "templateId": "tpl_mug"}

    answer = client.post("/api/mockups", headers=headers, json=body)

    assert answer.status_code == 201
    mockup = answer.get_json()
    assert (mockup["kind"], mockup["designId"], mockup["templateId"]) == ("mockup", design["id"], "tpl_mug")
    assert mockup["width"] > design["width"]
    listed = client.get("/api/assets?kind=mockup", headers=headers).get_json()["data"]
    assert [asset["id"] for asset in listed] == [mockup["id"]]


def test_anothers_design_is_not_found(client: FlaskClient, ada: User, cleo: User, key_for: KeyFor) -> None:
    design = upload(client, key_for(ada), picture()).get_json()
    body = {"designId": design["id"], "templateId": "tpl_mug"}

    answer = client.post("/api/mockups", headers=key_for(cleo), json=body)

    assert (answer.status_code, answer.get_json()["type"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["designId", "templateId"]),
        ({"designId": 5, "templateId": []}, ["designId", "templateId"]),
        ({"designId": "ast_x", "templateId": "tpl_mug", "size": 3}, ["size"]),
        ({"designId": {"$ne": ""}, "templateId": "tpl_mug"}, ["designId"]),
    ],
)
def test_a_mockup_that_cannot_be_is_refused_by_name(
    client: FlaskClient, ada: User, key_for: KeyFor, body: dict[str, object], fields: list[str]
) -> None:
    answer = client.post("/api/mockups", headers=key_for(ada), json=body)

    assert (answer.status_code, sorted(answer.get_json()["fields"])) == (422, fields)


def test_an_unknown_template_is_refused(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    headers = key_for(ada)
    design = upload(client, headers, picture()).get_json()

    answer = client.post("/api/mockups", headers=headers, json={"designId": design["id"], "templateId": "tpl_moon"})

    assert (answer.status_code, list(answer.get_json()["fields"])) == (422, ["templateId"])

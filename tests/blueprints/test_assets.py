"""The gallery, uploading and making, sending to a shop and a storage, and the signed pictures."""

import re
from collections.abc import Callable
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from blueprints import operation_forms
from patchbay import assets
from patchbay.models import Asset, User
from tests.blueprints.pages import HTMX, address_in, htmx_post, path_of, post, text_of
from tests.stage import FrozenClock, Queue, Sandbox, Walker, in_context

Login = Callable[[FlaskClient, User], str]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="red"/></svg>'


def png(color: str = "crimson") -> bytes:
    """A small design."""
    content = BytesIO()
    Image.new("RGB", (64, 64), color).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def design(app: Flask, ada: User) -> Asset:
    """A design of Ada's."""
    with in_context(app):
        return assets.upload(ada.id, png(), "rose.png")


@pytest.fixture
def mockup(app: Flask, ada: User, design: Asset) -> Asset:
    """A mug with it."""
    with in_context(app):
        return assets.make_mockup(ada.id, design.id, "tpl_mug")


def upload(client: FlaskClient, token: str, content: bytes, name: str) -> TestResponse:
    """Send a file as the form does; the body is made by hand, since Werkzeug's client leaves large ones open."""
    parts = (
        f'--cut\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    body = parts.encode() + content + b"\r\n--cut--\r\n"
    return client.post("/mockups/upload", data=body, content_type="multipart/form-data; boundary=cut")


def link(app: Flask, asset: Asset) -> str:
    """The path of its signed address."""
    with in_context(app):
        return urlsplit(assets.link(asset)).path


def test_an_uploaded_design_is_set_onto_a_product(client: FlaskClient, token: str) -> None:
    uploaded = upload(client, token, png(), "rose.png")
    form = client.get(path_of(uploaded))
    design_id = path_of(uploaded).partition("design=")[2]

    made = post(client, "/mockups/make", token, designId=design_id, templateId="tpl_cushion")

    page = client.get(path_of(made))
    assert "checked" in form.get_data(as_text=True)
    assert "rose – Cushion" in text_of(page)
    assert "rose – Cushion" in text_of(client.get("/mockups?kind=mockup"))
    assert "rose – Cushion" not in text_of(client.get("/mockups?kind=design"))


@pytest.mark.parametrize(("content", "name"), [(b"no picture", "a.png"), (b"", "a.png"), (b"<html></html>", "a.svg")])
def test_what_is_no_picture_is_refused_beside_the_field(
    client: FlaskClient, token: str, content: bytes, name: str
) -> None:
    answer = upload(client, token, content, name)

    assert answer.status_code == 422
    assert 'id="file-error"' in answer.get_data(as_text=True)


def test_an_upload_without_a_file_is_refused(client: FlaskClient, token: str) -> None:
    answer = post(client, "/mockups/upload", token)

    assert answer.status_code == 422
    assert "Choose a picture first." in text_of(answer)


def test_a_file_that_is_too_large_is_refused(client: FlaskClient, token: str) -> None:
    assert upload(client, token, SVG + b" " * 20 * 1024 * 1024, "a.svg").status_code == 413


@pytest.mark.parametrize("fields", [{"designId": "ast_no"}, {"templateId": "tpl_no"}])
def test_a_choice_that_is_none_is_refused_in_the_form(
    client: FlaskClient, token: str, design: Asset, fields: dict[str, str]
) -> None:
    answer = post(client, "/mockups/make", token, **{"designId": design.id, "templateId": "tpl_mug", **fields})

    assert answer.status_code == 422


def test_load_more_shows_every_picture_once(app: Flask, client: FlaskClient, token: str, ada: User) -> None:
    with in_context(app):
        for n in range(60):
            assets.upload(ada.id, png(), f"design-{n}.png")
    first = client.get("/mockups").get_data(as_text=True)
    more = first[first.index('id="load-more" href="') :].split('"')[3].replace("&amp;", "&")

    second = client.get(more, headers=HTMX).get_data(as_text=True)

    ids = [part.split('"')[0] for part in (first + second).split('<li id="asset-')[1:]]
    assert len(ids) == len(set(ids)) == 60


def test_anothers_pictures_are_not_found(client: FlaskClient, mockup: Asset, cleo: User, login: Login) -> None:
    token = login(client, cleo)

    paths = (f"/mockups/{mockup.id}", f"/mockups/{mockup.id}/publish", f"/mockups/{mockup.id}/save")
    assert [client.get(path).status_code for path in paths] == [404, 404, 404]
    assert post(client, f"/mockups/{mockup.id}/publish", token).status_code == 404


def test_without_connections_the_page_says_what_is_missing(client: FlaskClient, token: str, mockup: Asset) -> None:
    page = client.get(f"/mockups/{mockup.id}")

    assert "Connect a shop to publish pictures" in text_of(page)
    assert "/publish" not in page.get_data(as_text=True)
    assert client.get(f"/mockups/{mockup.id}/publish").status_code == 404


def test_a_mockup_is_published_to_the_chosen_product(
    client: FlaskClient, token: str, ada: User, mockup: Asset, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "shopify", shop="demo-shop")
    address = f"/mockups/{mockup.id}/publish"
    form = htmx_post(client, address, token, **{"place": "shopify", "at": "shopify", "productId.search": "fern"})
    product = address_in(form, r"gid://shopify/Product/\d+")
    before = _pictures(sandbox)

    answer = post(client, address, token, place="shopify", at="shopify", productId=product, do="now")
    queue.run_all()

    assert "Fern Tee" in text_of(form)
    assert "Market Tote" not in text_of(form)
    assert "Open it at Shopify" in text_of(client.get(path_of(answer)))
    assert _pictures(sandbox) == before + 1


def test_publishing_to_nothing_is_refused_in_the_form(
    client: FlaskClient, token: str, ada: User, mockup: Asset, connect: Walker
) -> None:
    connect(ada, "shopify", shop="demo-shop")

    answer = post(client, f"/mockups/{mockup.id}/publish", token, place="shopify", productId="", do="now")

    assert answer.status_code == 422
    assert "This field is needed." in text_of(answer)


def test_a_picture_is_saved_into_a_folder_that_was_made_in_the_form(
    client: FlaskClient, token: str, ada: User, mockup: Asset, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, "google-drive")
    address = f"/mockups/{mockup.id}/save"
    folder = _make_folder(client, token, address, queue)
    form = client.get(f"{address}?place=google-drive&folderId={folder}")

    answer = post(client, address, token, place="google-drive", folderId=folder, do="now")
    queue.run_all()

    saved = [row for row in sandbox.state("google-drive", "files") if row["mimeType"] == "image/jpeg"]
    assert re.search(rf'value="{folder}" checked', form.get_data(as_text=True))
    assert "Succeeded" in text_of(client.get(path_of(answer)))
    assert [row["parents"] for row in saved] == [[folder]]


def test_another_place_asks_its_own_questions(
    client: FlaskClient, token: str, ada: User, mockup: Asset, connect: Walker
) -> None:
    connect(ada, "google-drive")
    connect(ada, "dropbox")
    address = f"/mockups/{mockup.id}/save"

    drive = client.get(f"{address}?place=google-drive")
    dropbox = htmx_post(client, address, token, place="dropbox", at="google-drive", folderId="of-drive")

    assert "Path of the folder" not in text_of(drive)
    assert "Path of the folder" in text_of(dropbox)
    assert "of-drive" not in dropbox.get_data(as_text=True)


def test_a_storage_that_does_not_answer_still_takes_the_picture_at_its_top(
    client: FlaskClient, token: str, ada: User, mockup: Asset, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "google-drive")
    sandbox.fault("google-drive", "malformed", times=0)

    page = client.get(f"/mockups/{mockup.id}/save")

    assert page.status_code == 200
    assert "Google Drive answered in a form Patchbay does not understand." in text_of(page)
    assert "Try again" in text_of(page)
    assert "At the top of the Drive, in no folder" in text_of(page)


def test_a_signed_picture_needs_no_login_and_may_be_used_elsewhere(app: Flask, mockup: Asset) -> None:
    answer = app.test_client().get(link(app, mockup), buffered=True)

    headers = answer.headers
    assert answer.status_code == 200
    assert answer.mimetype == "image/jpeg"
    assert headers["Cache-Control"].startswith("public, max-age=")
    assert 3600 <= int(headers["Cache-Control"].partition("max-age=")[2]) <= 7200
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Disposition"] == "inline"
    assert "Set-Cookie" not in headers
    assert "Cookie" not in answer.vary


def test_an_svg_runs_nothing_wherever_it_is_opened(app: Flask, client: FlaskClient, ada: User) -> None:
    with in_context(app):
        asset = assets.upload(ada.id, SVG, "red.svg")

    answer = client.get(link(app, asset), buffered=True)

    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def test_a_signed_picture_is_not_sent_twice_and_can_be_sent_in_parts(
    app: Flask, client: FlaskClient, mockup: Asset
) -> None:
    address = link(app, mockup)
    etag = client.get(address, buffered=True).headers["ETag"]

    again = client.get(address, headers={"If-None-Match": etag}, buffered=True)
    part = client.get(address, headers={"Range": "bytes=0-7"}, buffered=True)

    assert again.status_code == 304
    assert (part.status_code, part.data) == (206, b"\xff\xd8\xff\xe0\x00\x10JF")


def test_a_signed_address_ends(app: Flask, client: FlaskClient, frozen_clock: FrozenClock, mockup: Asset) -> None:
    address = link(app, mockup)
    frozen_clock.advance(hours=2, minutes=1)

    assert client.get(address).status_code == 404


def test_a_changed_address_is_not_found(app: Flask, client: FlaskClient, mockup: Asset) -> None:
    address = link(app, mockup)

    assert client.get(address.replace(".jpg", ".svg")).status_code == 404
    assert client.get(address.replace("/assets/", "/assets/x")).status_code == 404


def _make_folder(client: FlaskClient, token: str, address: str, queue: Queue) -> str:
    """Ask for a folder by the form, while a worker is busy elsewhere; then find its id in the form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operation_forms, "MAKER_WAIT_S", 0)
        answer = post(
            client, address, token, place="google-drive", make="folderId", **{"folderId.new.folderName": "Autumn"}
        )
    assert path_of(answer).startswith("/runs/run_")
    queue.run_all()
    return address_in(client.get(address), r'(?<=name="folderId" value=")[\w-]+')


def _pictures(sandbox: Sandbox) -> int:
    return len(sandbox.state("shopify", "media"))

"""Static files: hashed addresses, what caches may keep, compression, the logos' sprite."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints import static_files
from blueprints.static_files import StaticFiles

STYLE = "body { color: black }\n" * 40
SPRITE = '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="figma" viewBox="0 0 24 24"/></svg>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "app.css").write_text(STYLE, encoding="utf-8")
    (tmp_path / "vendor" / "logos").mkdir(parents=True)
    (tmp_path / "vendor" / "logos" / "figma.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "vendor" / "logos.svg").write_text(SPRITE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def files(folder: Path) -> StaticFiles:
    return StaticFiles(folder)


@pytest.fixture
def client(folder: Path) -> FlaskClient:
    app = Flask(__name__, static_folder=None)
    static_files.init_app(app, folder)
    return app.test_client()


def test_an_address_changes_with_the_content(folder: Path, files: StaticFiles) -> None:
    before = files.url("css/app.css")

    (folder / "css" / "app.css").write_text("body { color: red }", encoding="utf-8")

    assert StaticFiles(folder).url("css/app.css") != before


def test_a_hashed_file_is_kept_for_a_year_and_never_asked_for_again(client: FlaskClient, files: StaticFiles) -> None:
    answer = client.get(files.url("css/app.css"))

    assert answer.status_code == 200
    assert answer.text == STYLE
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["css/app.css", "css/app.00000000.css"])
def test_a_bare_name_or_an_old_hash_is_answered_but_not_kept(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/static/{path}")

    assert answer.text == STYLE
    assert answer.headers["Cache-Control"] == "no-cache"


def test_text_is_sent_compressed_to_who_takes_it(client: FlaskClient, files: StaticFiles) -> None:
    answer = client.get(files.url("css/app.css"), headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(answer.data) < len(STYLE)


def test_a_known_file_is_not_sent_twice(client: FlaskClient) -> None:
    first = client.get("/static/css/app.css")

    second = client.get("/static/css/app.css", headers={"If-None-Match": first.headers["ETag"]})

    assert second.status_code == 304
    assert second.data == b""


@pytest.mark.parametrize("path", ["css/none.css", "../app.py", "css/%2e%2e/%2e%2e/app.py", "css"])
def test_what_is_not_in_the_folder_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_naming_a_file_that_does_not_exist_is_refused(files: StaticFiles) -> None:
    with pytest.raises(LookupError, match=r"css/none\.css"):
        files.url("css/none.css")


def test_a_logo_is_a_symbol_of_the_sprite(files: StaticFiles) -> None:
    assert files.has_logo("figma")
    assert files.logo_url("figma") == files.url("vendor/logos.svg") + "#figma"


@pytest.mark.parametrize("slug", ["canva", None])
def test_an_absent_logo_is_known_to_be_absent(files: StaticFiles, slug: str | None) -> None:
    assert not files.has_logo(slug)

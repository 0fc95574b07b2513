"""What no template may contain, so that the strict policy holds and every action works without script."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from blueprints import rendering

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "templates"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.html"))
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
REQUESTS = {"hx-get", "hx-post"}
BANNED = {
    r"\bhx-on": "hx-on* needs eval",
    r"[\"']\s*js:": "js: values need eval",
    r"hx-trigger=\"[^\"]*\[": "trigger filters need eval",
    r"\bstyle=": "the policy refuses inline style",
    r"<style": "the policy refuses inline style",
    r"[\s\"']on[a-z]+=\"": "the policy refuses inline handlers",
    r"<script(?![^>]*\bsrc=)": "the policy refuses inline script",
    r"javascript:": "the policy refuses it",
    r"\|\s*safe\b": "escaping is the defence",
    r"\bMarkup\b": "escaping is the defence",
    r"[\"']\s*\|\s*said\b": "a constant is said when the template is compiled, in the language of whoever comes first",
    r"(src|href)=\"/?static/": "static files are named through static()",
    r"hx-(boost|confirm|vars|ext|params|swap-oob)\b": "not used with htmx 4 here",
    r"(src|href|action)=\"https?://": "nothing is loaded from elsewhere",
}


def source(name: str) -> str:
    """The template without its comments."""
    return COMMENT.sub("", (FOLDER / name).read_text(encoding="utf-8"))


class Elements(HTMLParser):
    """Every start tag with its attributes, the template's own tags taken out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(TAG.sub("x", text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name.split(":")[0].removeprefix("x"): value for name, value in attrs}))


def elements(name: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """The elements of the template, macros included."""
    yield from Elements(source(name)).found


def test_there_are_templates() -> None:
    assert "layouts/page.html" in TEMPLATES


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_contains_nothing_that_is_banned(name: str) -> None:
    text = source(name)

    found = [f"{pattern}: {reason}" for pattern, reason in BANNED.items() if re.search(pattern, text)]

    assert found == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_action_works_without_script(name: str) -> None:
    requests = [(tag, attributes) for tag, attributes in elements(name) if REQUESTS & attributes.keys()]

    dead = [
        (tag, attributes)
        for tag, attributes in requests
        if not (tag == "a" and attributes.get("href"))
        and not (tag == "form" and attributes.get("action"))
        and not str(attributes.get("hx-trigger", "")).startswith("every")
    ]

    assert dead == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_request_names_its_target(name: str) -> None:
    silent = [
        (tag, attributes)
        for tag, attributes in elements(name)
        if REQUESTS & attributes.keys() and "hx-target" not in attributes
    ]

    assert silent == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_form_that_posts_carries_the_token(name: str) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source(name), re.DOTALL)

    assert [form[:80] for form in forms if "csrf()" not in form and "{{ token }}" not in form] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_picture_has_a_size_and_a_text(name: str) -> None:
    pictures = [attributes for tag, attributes in elements(name) if tag == "img"]

    assert [picture for picture in pictures if not {"alt", "width", "height"} <= picture.keys()] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_says_what_it_expects(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8").startswith("{#-")


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_static_file_that_is_named_exists(name: str) -> None:
    named = re.findall(r"static\(\"([^\"]+)\"\)", source(name))

    own = [file for file in named if not file.startswith("vendor/")]  # the others arrive at install
    assert [file for file in own if not (ROOT / "static" / file).is_file()] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_icon_that_is_named_is_drawn(name: str) -> None:
    drawn = set(re.findall(r"symbol id=\"([a-z]+)\"", (ROOT / "static/img/icons.svg").read_text(encoding="utf-8")))

    assert set(re.findall(r"\bicon\(\"([a-z]+)\"", source(name))) <= drawn


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str) -> None:
    app = Flask(__name__, template_folder=str(FOLDER))
    rendering.init_app(app, is_https=False, has_sandbox=False)

    assert app.jinja_env.get_template(name).name == name


@pytest.mark.parametrize(
    ("file", "most_bytes"), [("css/app.css", 12_000), ("css/pages.css", 5_000), ("js/app.js", 3_072)]
)
def test_our_own_files_stay_small(file: str, most_bytes: int) -> None:
    assert (ROOT / "static" / file).stat().st_size <= most_bytes


def test_our_script_evaluates_nothing() -> None:
    script = (ROOT / "static/js/app.js").read_text(encoding="utf-8")

    assert re.search(r"\beval\b|\bFunction\(|innerHTML|insertAdjacentHTML|document\.write", script) is None

"""The texts: every one is found, and each language has all of them, whole and right."""

import ast
import dataclasses
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog
from jinja2 import Environment, nodes

from blueprints.accounts import CHOICES
from blueprints.rendering import catalogues
from patchbay import errors, providers, quality
from patchbay.batches import recipes
from patchbay.pictures import templates
from patchbay.spec import Pick
from scripts import messages

ROOT = Path(__file__).resolve().parent.parent
GERMAN = ROOT / "translations" / "de" / "LC_MESSAGES" / "messages.po"
PAGES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted(path for folder in ("blueprints", "jobs", "patchbay") for path in (ROOT / folder).rglob("*.py"))
MARKS = {"_", "gettext", "ngettext"}
WORDED_FIELDS = {"description", "title", "doing", "label", "help", "words", "mismatch", "allows", "purpose", "says",
                 "steps", "limits"}  # fmt: skip
WORDED_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt", "data-label", "data-done"}
# The block "section" and what is set hold names for templates, not words for people.
NAMES = r"\{% block section %\}.*?\{% endblock %\}|\{% set \w+ %\}.*?\{% endset %\}"
CODE = re.compile(rf"{NAMES}|\{{% trans\b.*?\{{% endtrans %\}}|\{{#.*?#\}}|\{{%.*?%\}}|\{{\{{.*?\}}\}}", re.S)
SAME_EVERYWHERE = {"Patchbay", "pb_…", "https://"}  # a name, and how every API key and address begins


@pytest.fixture(scope="module")
def template() -> Catalog:
    return messages.gathered()


@pytest.fixture(scope="module")
def ids(template: Catalog) -> set[str]:
    return {form for message in template for form in ([message.id] if isinstance(message.id, str) else message.id)}


class TestEveryLanguage:
    @pytest.mark.parametrize("path", catalogues.texts(catalogues.FOLDER), ids=lambda path: path.parent.parent.name)
    def test_has_every_text_whole_and_right(self, path: Path, template: Catalog) -> None:
        assert messages.problems(path, template) == [], "run `make messages`, then translate"

    def test_german_is_one_of_them(self) -> None:
        assert catalogues.languages() == {"en": "English", "de": "Deutsch"}

    def test_is_kept_just_as_the_command_writes_it(self, template: Catalog) -> None:
        written = messages.text_of(messages.merge(messages.read(GERMAN), template))

        assert GERMAN.read_text(encoding="utf-8") == written, "run `make messages`"


class TestJudging:
    @pytest.mark.parametrize(
        ("entry", "problem"),
        [
            ('msgid "Saved."\nmsgstr ""', "not translated: 'Saved.'"),
            ('#, fuzzy\nmsgid "Saved."\nmsgstr "Gespeichert."', "fuzzy: 'Saved.'"),
            ('msgid "Gone."\nmsgstr "Weg."', "no longer said (run `make messages`): 'Gone.'"),
            ('#~ msgid "Gone."\n#~ msgstr "Weg."', "no longer said, but kept aside: 'Gone.'"),
            ('msgid "Keep %(account)s"\nmsgstr "Behalten"', "placeholders differ (%(account)s): 'Keep %(account)s'"),
            ('msgid "Saved."\nmsgstr "%(name)s gespeichert."', "placeholders differ (%(name)s): 'Saved.'"),
            ('msgid "Saved."\nmsgstr "Zu 100 % gespeichert."', "percent signs differ: 'Saved.'"),
            ('msgid "Saved."\nmsgstr "<b>Gespeichert</b>."', "tags differ: 'Saved.'"),
            ('msgid "Saved."\nmsgstr "Gespeichert"', "ends differ: 'Saved.'"),
            ('msgid "Saved."\nmsgstr " Gespeichert."', "spaces around it differ: 'Saved.'"),
            ('msgid "Saved."\nmsgstr "Alles gespeichert!."', "! should be .: 'Saved.'"),
            ('msgid "Saved."\nmsgstr "\\"Alles\\" gespeichert."', "\" should be „…“: 'Saved.'"),
        ],
    )
    def test_each_fault_is_named(self, tmp_path: Path, template: Catalog, entry: str, problem: str) -> None:
        path = self.written(tmp_path, entry)

        assert f"de: {problem}" in messages.problems(path, template)

    def test_a_text_without_an_entry_is_named(self, tmp_path: Path, template: Catalog) -> None:
        path = self.written(tmp_path, "")

        assert "de: no entry (run `make messages`): 'Saved.'" in messages.problems(path, template)

    def test_only_the_singular_may_leave_its_number_out(self, tmp_path: Path, template: Catalog) -> None:
        singular = self.written(tmp_path, self.plural("Eine Integration", "%(num)s Integrationen"))
        without_number = messages.problems(singular, template)
        plural = self.written(tmp_path, self.plural("%(num)s Integration", "Integrationen"))

        problems = messages.problems(plural, template)

        assert not [line for line in without_number if "placeholders differ" in line]
        assert [line for line in problems if "placeholders differ (%(num)s)" in line]

    @staticmethod
    def plural(one: str, many: str) -> str:
        ids = 'msgid "%(num)s integration"\nmsgid_plural "%(num)s integrations"'
        return f'{ids}\nmsgstr[0] "{one}"\nmsgstr[1] "{many}"'

    @staticmethod
    def written(folder: Path, entry: str) -> Path:
        path = folder / "de" / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n{entry}\n', encoding="utf-8")
        return path


class TestMerging:
    def test_translations_stay_what_is_gone_goes_and_what_is_new_waits(self) -> None:
        known, template = Catalog("de"), Catalog()
        known.add("Old", "Alt")
        known.add("Gone", "Weg")
        template.add("Old")
        template.add("New")

        merged = messages.merge(known, template)

        assert {message.id: message.string for message in merged if message.id} == {"Old": "Alt", "New": ""}

    def test_a_text_that_now_counts_is_translated_anew(self) -> None:
        known, template = Catalog("de"), Catalog()
        known.add("%(n)s file", "%(n)s Datei")
        template.add(("%(n)s file", "%(n)s files"))

        merged = messages.merge(known, template)

        assert [message.string for message in merged if message.id] == [("", "")]


class TestCompiling:
    def test_a_text_that_changed_is_compiled_again(self, tmp_path: Path) -> None:
        path = TestJudging.written(tmp_path, 'msgid "Saved."\nmsgstr "Gespeichert."')
        catalogues.compile_all(tmp_path)
        before = path.with_suffix(".mo").read_bytes()
        TestJudging.written(tmp_path, 'msgid "Saved."\nmsgstr "Gesichert."')

        catalogues.compile_all(tmp_path)

        assert b"Gespeichert." in before
        assert b"Gesichert." in path.with_suffix(".mo").read_bytes()
        assert [other.name for other in sorted(path.parent.iterdir())] == ["messages.mo", "messages.po"]

    def test_one_that_did_not_change_is_left_alone(self, tmp_path: Path) -> None:
        path = TestJudging.written(tmp_path, 'msgid "Saved."\nmsgstr "Gespeichert."')
        catalogues.compile_all(tmp_path)
        compiled = path.with_suffix(".mo")
        compiled.write_bytes(b"left alone")
        same_age(compiled, path)

        catalogues.compile_all(tmp_path)

        assert compiled.read_bytes() == b"left alone"


def same_age(path: Path, other: Path) -> None:
    os.utime(path, ns=(other.stat().st_mtime_ns, other.stat().st_mtime_ns))


class TestMarking:
    """What is said anywhere can be found by `make messages`."""

    @pytest.mark.parametrize("key", [provider.key for provider in providers.all()])
    def test_all_that_a_provider_says_is_marked(self, key: str, ids: set[str]) -> None:
        assert sorted(set(said_by(providers.get(key))) - ids) == []

    def test_all_that_is_said_of_errors_jobs_keys_rules_and_templates_is_marked(self, ids: set[str]) -> None:
        said = {words for kind in errors._ALL.values() for words in (kind.title, kind.sentence)}
        said |= {words for one in recipes.ALL for words in (one.title, one.description)}
        said |= {choice.title for choice in CHOICES} | set(quality.RULES.values())
        said |= {one.name for one in templates.all()}

        assert sorted(said - ids) == []

    @pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_a_mark_in_code_holds_the_text_itself(self, path: Path) -> None:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        marks = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"N_", "_", "ngettext"}]

        assert [call.lineno for call in marks if not isinstance(call.args[0], ast.Constant)] == []

    @pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_a_mark_in_a_template_holds_the_text_itself(self, path: Path) -> None:
        tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(path.read_text(encoding="utf-8"))
        calls = [call for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name)]
        marks = [call for call in calls if isinstance(call.node, nodes.Name) and call.node.name in MARKS]

        assert [call.lineno for call in marks if not isinstance(call.args[0], nodes.Const)] == []

    @pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_no_template_says_anything_without_a_mark(self, path: Path) -> None:
        text = CODE.sub("\n", path.read_text(encoding="utf-8").replace("{{ level }}", "h2"))

        assert [word for word in Words(text).found if word not in SAME_EVERYWHERE] == []


class Words(HTMLParser):
    """Texts, and attributes that are read out or shown, which hold letters."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.keep(data)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in WORDED_ATTRIBUTES:
                self.keep(value or "")

    def keep(self, text: str) -> None:
        self.found += [line.strip(" –·:,\t") for line in text.splitlines() if re.search(r"[^\W\d_]{2}", line)]


def said_by(declared: Any) -> Iterator[str]:
    """Every message id in a declaration, found by the names of what holds one; acronyms among words need no other."""
    if isinstance(declared, tuple | list):
        for part in declared:
            yield from said_by(part)
    if dataclasses.is_dataclass(declared) and not isinstance(declared, Pick):
        for field in dataclasses.fields(declared):
            value = getattr(declared, field.name)
            if field.name in WORDED_FIELDS:
                found = [value] if isinstance(value, str) else value
                yield from (words for words in found if any(letter.islower() for letter in words))
            else:
                yield from said_by(value)

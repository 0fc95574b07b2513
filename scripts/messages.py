"""`make messages`: gathers the texts of code and templates into the catalogues in `translations`; `--check` judges.

What is no longer said is dropped, what is new waits for its translation. `blueprints.rendering.catalogues` compiles.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from blueprints.rendering import catalogues
from patchbay import providers, quality

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("blueprints", "jobs", "patchbay", "templates")
PLACEHOLDER = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"</?[a-z][^>]*>")
ENDS = tuple(".:…?")
# What changes with every run or with the version of Babel would make a difference where there is none.
PASSING = re.compile(
    r'^"(Project|Report|POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By)[^\n]*\n', re.M
)
# Quotation marks and signs that do not belong into a text of that language, and what should stand there.
FOREIGN = {"de": {'"': "„…“", "”": "„…“", "'": "’", "!": ".", "...": "…", " - ": " – "}}


def main() -> int:
    """Exit code 1 when a catalogue is to be judged and is not well."""
    template = gathered()
    if "--check" in sys.argv[1:]:
        found = [problem for path in catalogues.texts(catalogues.FOLDER) for problem in problems(path, template)]
        print("\n".join(found), end="\n" if found else "")
        return 1 if found else 0
    for path in catalogues.texts(catalogues.FOLDER):
        merged = merge(read(path), template)
        path.write_text(text_of(merged), encoding="utf-8")
        lacking = sum(not _is_complete(message) for message in _messages(merged))
        print(f"written  {path.relative_to(ROOT)}: {len(merged)} texts, {lacking} to be translated")
    return 0


def gathered() -> Catalog:
    """All that can be said, in English."""
    template = Catalog(charset="utf-8")
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]  # Babel's own has no types
    for folder in FOLDERS:
        for name, line, text, comments, context in extract_from_dir(str(ROOT / folder), methods, options):
            template.add(text, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    for text in sorted(set(_in_data())):
        template.add(text, None, [("patchbay/providers", 0)])
    return template


def _in_data() -> Iterator[str]:
    """What people read of data: the keys of streams, and why a rule of the quality ladder cannot apply."""
    for provider in providers.all():
        yield from (each.stream for each in provider.imports)
        yield from (rule.reason for rule in quality.of(provider.key).rules if rule.reason)


def read(path: Path) -> Catalog:
    """A catalogue as people edit it; the folder's name is its language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def merge(known: Catalog, template: Catalog) -> Catalog:
    """The template's texts with the translations that are known."""
    merged = Catalog(known.locale, header_comment=known.header_comment, project="Patchbay", charset="utf-8")
    merged.fuzzy = False
    for message in _messages(template):
        kept = known.get(message.id[0] if message.pluralizable else message.id, message.context)
        fits = kept is not None and kept.pluralizable == message.pluralizable
        merged.add(
            message.id,
            kept.string if kept and fits else "",
            message.locations,
            flags=kept.flags if kept and fits else (),
            auto_comments=message.auto_comments,
            user_comments=kept.user_comments if kept else (),
            context=message.context,
        )
    return merged


def text_of(catalogue: Catalog) -> str:
    """The catalogue as it is kept: the same texts make the same file."""
    written = BytesIO()
    write_po(written, catalogue, width=0, sort_by_file=True, include_lineno=False)
    return PASSING.sub("", written.getvalue().decode())


def problems(path: Path, template: Catalog) -> list[str]:
    """What keeps a catalogue from being complete and right, one line each."""
    catalogue, language = read(path), path.parent.parent.name
    known = {(message.id, message.context): message for message in _messages(catalogue)}
    wanted = {(message.id, message.context) for message in _messages(template)}
    found = [f"no entry (run `make messages`): {key[0]!r}" for key in wanted - known.keys()]
    found += [f"no longer said (run `make messages`): {key[0]!r}" for key in known.keys() - wanted]
    found += [f"no longer said, but kept aside: {message.id!r}" for message in catalogue.obsolete.values()]
    for message in known.values():
        found += [f"{problem}: {message.id!r}" for problem in _problems_of(message, language)]
    return [f"{language}: {line}" for line in sorted(found)]


def _messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _is_complete(message: Message) -> bool:
    return all(_forms(message.string))


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (list, tuple)) else (str(text or ""),)


def _problems_of(message: Message, language: str) -> Iterator[str]:
    if not _is_complete(message):
        yield "not translated"
        return
    if message.fuzzy:
        yield "fuzzy"
    source = _forms(message.id)[-1]
    for number, form in enumerate(_forms(message.string)):
        may_lack = message.pluralizable and number == 0  # "ein Eintrag" needs no number
        yield from _differences(source, form, may_lack=may_lack)
        yield from (f"{sign} should be {better}" for sign, better in FOREIGN.get(language, {}).items() if sign in form)


def _differences(source: str, form: str, *, may_lack: bool) -> Iterator[str]:
    asked, given = set(PLACEHOLDER.findall(source)), set(PLACEHOLDER.findall(form))
    if given - asked or (asked - given and not may_lack):
        yield f"placeholders differ ({', '.join(sorted(asked ^ given))})"
    if _stray(source) != _stray(form):
        yield "percent signs differ"
    if sorted(TAG.findall(source)) != sorted(TAG.findall(form)):
        yield "tags differ"
    if [source[-1:] if source.endswith(ENDS) else ""] != [form[-1:] if form.endswith(ENDS) else ""]:
        yield "ends differ"
    if source[:1].isspace() != form[:1].isspace() or source[-1:].isspace() != form[-1:].isspace():
        yield "spaces around it differ"


def _stray(text: str) -> int:
    """Percent signs that are no placeholders; where there are parameters, a stray one would fail."""
    return PLACEHOLDER.sub("", text).count("%")


if __name__ == "__main__":
    sys.exit(main())

"""The languages that texts exist in: one catalogue a language in `translations`, compiled when its text has changed.

Which of them a reader gets is decided in `look`; how ids are gathered and checked is `scripts.messages`' affair.
"""

import functools
import os
import tempfile
from pathlib import Path

import structlog
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from patchbay.settings import ROOT

log = structlog.get_logger()

FOLDER = ROOT / "translations"
ENGLISH = "en"


@functools.cache
def languages() -> dict[str, str]:
    """Each language's code with its name in itself, English (that of the message ids) first."""
    codes = [ENGLISH, *sorted(path.parent.parent.name for path in texts(FOLDER))]
    return {code: str(Locale.parse(code).get_language_name()).capitalize() for code in codes}


def texts(folder: Path) -> list[Path]:
    """The catalogues in `folder` as people edit them."""
    return sorted(folder.glob("*/LC_MESSAGES/messages.po"))


def compile_all(folder: Path) -> None:
    """Compile what has no compiled form of the same age. Where nothing may be written, texts stay English."""
    for text in texts(folder):
        compiled = text.with_suffix(".mo")
        try:
            if not compiled.exists() or compiled.stat().st_mtime_ns != text.stat().st_mtime_ns:
                _compile(text, compiled)
        except OSError as error:
            log.warning("A catalogue could not be compiled.", path=str(compiled), error=type(error).__name__)


def _compile(text: Path, compiled: Path) -> None:
    """In one step, for several processes start at once; the age of the text is kept to tell later whether it fits."""
    age = text.stat().st_mtime_ns
    with text.open("rb") as source:
        catalogue = read_po(source, locale=text.parent.parent.name)
    with tempfile.NamedTemporaryFile(dir=compiled.parent, suffix=".tmp", delete=False) as target:
        write_mo(target, catalogue)
    os.utime(target.name, ns=(age, age))
    Path(target.name).chmod(0o644)
    Path(target.name).replace(compiled)

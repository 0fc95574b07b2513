"""How Dropbox reads a path: which names may stand in it, and what counts as the same name.

Sources: the HTTP documentation's "Path formats"; dropbox-sdk-java issue 229 (255 characters a name); rclone's list of
characters that Dropbox refuses (read 2026-11-21).
"""

import re

from sandbox.hosts.dropbox.refusals import Problem

LONGEST_NAME = 255
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")
_DISALLOWED = frozenset({"desktop.ini", "thumbs.db", ".ds_store", ".dropbox", ".dropbox.attr", "icon\r"})
_NUMBERED = re.compile(r"(?P<stem>.*?)(?P<extension>\.[^.]*)?")


def names_of(path: str) -> tuple[str, ...]:
    """The names in `/a/b`, none for the root ("" alone); raises Problem `malformed_path`."""
    names = tuple(path.split("/")[1:])
    if any(not _is_well_formed(name) for name in names):
        raise Problem("malformed_path")
    return names


def demand_allowed(names: tuple[str, ...]) -> None:
    """Raise Problem `disallowed_name` for names that Dropbox keeps for itself."""
    if any(folded(name) in _DISALLOWED for name in names):
        raise Problem("disallowed_name")


def folded(name: str) -> str:
    """The form in which two names are compared."""
    return name.lower()


def numbered(name: str, number: int) -> str:
    """What autorename makes of a name: `mug.png` becomes `mug (1).png`."""
    match = _NUMBERED.fullmatch(name)
    stem, extension = (match["stem"], match["extension"] or "") if match else (name, "")
    mark = f" ({number})"
    return stem[: LONGEST_NAME - len(mark) - len(extension)] + mark + extension


def _is_well_formed(name: str) -> bool:
    if not name or name in (".", "..") or len(name) > LONGEST_NAME or name.endswith(" "):
        return False
    return not _FORBIDDEN.search(name)

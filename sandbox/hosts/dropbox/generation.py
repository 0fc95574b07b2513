"""Synthetic files for a Dropbox: the same count and seed make the same files, however many; and the first state.

Their bytes are made when they are read; see `contents.generated`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.hosts.dropbox.contents import seeded
from sandbox.hosts.dropbox.people import MEMBER, PEOPLE, Person
from sandbox.hosts.dropbox.tree import Names, Tree, numbered_id
from sandbox.platform import count_and_seed
from sandbox.store import Document

MOST = 10_000_000
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_SUBJECTS = ("Autumn shirt", "Blue mug", "Canvas tote", "Poster draft", "Phone case", "Cushion", "Logo", "Banner")
_PER_FOLDER = 50
_FOLDERS = ("Designs/Logos", "Designs/Patterns", "Mockups/2026", "Photos", "Archive")
_TEAM_FOLDERS = ("Marketing/Campaigns", "Products/Autumn")


def furnish(tree: Tree) -> None:
    """The first state: everybody has some folders and a file, the team has folders of its own."""
    for who in PEOPLE:
        for path in _FOLDERS:
            tree.make_folder(who.home.tree, who.home.base + tuple(path.split("/")))
        _save(tree, who, ("Getting Started.txt",))
    for path in _TEAM_FOLDERS:
        tree.make_folder(MEMBER.root_namespace, tuple(path.split("/")))


def generate(tree: Tree, who: Person, wanted: Document) -> Document:
    """Make `count` files and folders (one in fifty a folder) from `seed`; answers `{"files": n}`."""
    count, seed = count_and_seed(wanted, MOST)
    top = tree.find(who.home.tree, who.home.base) or tree.make_folder(who.home.tree, who.home.base)
    for start in range(0, count, _PER_FOLDER):
        folder = _folder(who, seed, start)
        tree.add_generated(top["tree"], top["id"], [folder])
        tree.add_generated(
            top["tree"], folder["id"], _files(who, seed, range(start + 1, min(start + _PER_FOLDER, count)))
        )
    return {"files": count}


def _folder(who: Person, seed: int, number: int) -> Document:
    return {"tag": "folder", "id": numbered_id(f"{who.email}:{seed}:{number}"), "name": _name(seed, number)}


def _files(who: Person, seed: int, numbers: range) -> Iterator[Document]:
    for number in numbers:
        written = (_BEGIN + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield {
            "tag": "file",
            "id": numbered_id(f"{who.email}:{seed}:{number}"),
            "name": f"{_name(seed, number)}.txt",
            "client_modified": written,
            "server_modified": written,
            "rev": f"02{abs(seed) % 16**8:08x}{number:010x}",
        } | seeded(f"{seed}-{number}").facts()


def _name(seed: int, number: int) -> str:
    return f"{_SUBJECTS[(number * 7 + seed) % len(_SUBJECTS)]} {seed}-{number + 1}"


def _save(tree: Tree, who: Person, names: Names) -> None:
    written = _BEGIN.strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"client_modified": written, "server_modified": written, "rev": "015f0000000000000001"}
    tree.save(who.home.tree, who.home.base + names, seeded("start"), **facts)

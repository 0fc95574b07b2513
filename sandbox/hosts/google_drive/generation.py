"""Synthetic files for a Drive: the same count and seed make the same files, however many, one at a time.

Their bytes are made when they are read; see `tree.generated_content`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sandbox.hosts.google_drive.contents import facts_of
from sandbox.hosts.google_drive.tree import FOLDER, Tree, generated_content, numbered_id
from sandbox.platform import count_and_seed
from sandbox.store import Document

MOST = 10_000_000
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_SUBJECTS = ("Autumn shirt", "Blue mug", "Canvas tote", "Poster draft", "Phone case", "Cushion", "Logo", "Banner")
_PER_FOLDER = 50
_BATCH = 5_000


def generate(tree: Tree, account: str, client_id: str, wanted: Document) -> Document:
    """Make `count` files and folders (one in fifty a folder) from `seed`; answers `{"files": n}`."""
    count, seed = count_and_seed(wanted, MOST)
    root = tree.resolve(account, "root")
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        tree.add_generated(account, list(_files(account, client_id, root, seed, numbers)))
    return {"files": count}


def _files(account: str, client_id: str, root: str, seed: int, numbers: range) -> Iterator[Document]:
    for number in numbers:
        is_folder = number % _PER_FOLDER == 0
        folder = numbered_id(account, f"{seed}:{number - number % _PER_FOLDER}")
        moment = _BEGIN + timedelta(minutes=number)
        subject = _SUBJECTS[(number * 7 + seed) % len(_SUBJECTS)]
        written = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield {
            "id": numbered_id(account, f"{seed}:{number}"),
            "name": f"{subject} {number + 1}" + ("" if is_folder else ".txt"),
            "mimeType": FOLDER if is_folder else "text/plain",
            "parents": [root if is_folder else folder],
            "apps": [client_id],
            "createdTime": written,
            "modifiedTime": written,
            "trashed": False,
            "explicitlyTrashed": False,
            "starred": False,
            "version": 1,
            "originalFilename": f"{subject} {number + 1}" + ("" if is_folder else ".txt"),
        } | ({} if is_folder else _content_facts(f"{seed}-{number}"))


def _content_facts(seed: str) -> Document:
    return {"seed": seed, **facts_of([generated_content(seed)]), "headRevisionId": f"0B{seed}"}

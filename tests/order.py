"""In which order several processes take the files of tests, so that none is left alone with a long one in the end.

Each file is one process's; within a file the order is its own.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
LONG = (
    "browser", "conformance", "faults", "journeys", "providers", "patchbay/limits/test_sustained.py",
    "patchbay/records/test_false_deletes.py", "patchbay/schedules/test_a_month.py", "patchbay/tokens/test_churn.py",
)  # fmt: skip
"""What waits for processes, browsers and platforms; beside it whatever lies in this folder itself."""
LONG_UNTIL = 0.7


def spread(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Long files one by one over the first part of the others, which go by their number of tests, the largest first.

    Those that wait thus run beside those that compute, and never all at once; nor do all that need a browser.
    """
    files = [list(group) for _, group in groupby(items, lambda item: item.path)]
    long = mixed([file for file in files if is_long(file[0].path)])
    short = sorted((file for file in files if not is_long(file[0].path)), key=len, reverse=True)
    total = sum(map(len, short))
    places = [(LONG_UNTIL * total * number / len(long), file) for number, file in enumerate(long)]
    places += [(float(sum(map(len, short[:number]))), file) for number, file in enumerate(short)]
    return [item for _, file in sorted(places, key=itemgetter(0)) for item in file]


def mixed(files: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """Each folder's files at even distances from one another."""
    folders: dict[Path, list[list[pytest.Item]]] = {}
    for file in files:
        folders.setdefault(file[0].path.parent, []).append(file)
    places = [
        ((number + 0.5) / len(together), file) for together in folders.values() for number, file in enumerate(together)
    ]
    return [file for _, file in sorted(places, key=itemgetter(0))]


def is_long(path: Path) -> bool:
    """Whether a file of tests takes long for the number of its tests."""
    name = path.relative_to(FOLDER).as_posix()
    return "/" not in name or name.startswith(LONG)

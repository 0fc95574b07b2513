"""How the bytes of a picture are held: small ones in memory, of large ones one at a time, mapped."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from patchbay.errors import TooManyRequests
from patchbay.pictures import files


@pytest.fixture
def small(tmp_path: Path) -> Iterator[IO[bytes]]:
    (tmp_path / "small").write_bytes(b"small")
    with (tmp_path / "small").open("rb") as file:
        yield file


@pytest.fixture
def large(tmp_path: Path) -> Iterator[IO[bytes]]:
    with (tmp_path / "large").open("w+b") as file:
        file.truncate(files.IN_MEMORY_BYTES + 1)
        yield file


def test_a_small_file_is_read_into_memory(small: IO[bytes]) -> None:
    small.seek(3)

    with files.opened(small) as content:
        assert content == b"small"


def test_an_empty_file_is_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with (tmp_path / "empty").open("rb") as file, files.opened(file) as content:
        assert content == b""


def test_a_large_file_is_mapped(large: IO[bytes]) -> None:
    with files.opened(large) as content:
        assert isinstance(content, mmap.mmap)
        assert len(content) == files.IN_MEMORY_BYTES + 1


def test_of_large_files_one_is_open_at_a_time(
    large: IO[bytes], small: IO[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_WAIT_S", 0)

    with files.opened(large), files.opened(small) as content, pytest.raises(TooManyRequests), files.opened(large):
        pass

    assert content == b"small"


def test_a_large_file_that_was_refused_lets_the_next_one_in(large: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_WAIT_S", 0)
    with pytest.raises(ValueError, match="refused"), files.opened(large):
        raise ValueError("refused")

    with files.opened(large) as content:
        assert len(content) > files.IN_MEMORY_BYTES

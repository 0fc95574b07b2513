"""The byte layouts of PNG, JPEG and WebP: which one it is, whether it moves, and the same picture without metadata.

What does not live here: pixels. Nothing is decoded; chunks and segments are kept or left out as they are, in blocks, so
that a picture need not be in memory as a whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from patchbay.pictures.files import Content
from patchbay.pictures.pixels import damaged

Part = tuple[bytes, int, int]
"""A chunk or segment: its name (of a segment its marker), where it starts and where it ends."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"pHYs"}
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"}
_WEBP_EXIF_AND_XMP_FLAGS = 0x08 | 0x04
_ANIMATED = {b"acTL", b"ANIM", b"ANMF"}

_JPEG_END, _JPEG_SCAN, _JPEG_COMMENT = b"\xd9", b"\xda", b"\xfe"
_JPEG_APP0, _JPEG_APP2, _JPEG_APP14, _JPEG_APP15 = b"\xe0", b"\xe2", b"\xee", b"\xef"
_JPEG_WITHOUT_LENGTH = {bytes([marker]) for marker in (0x01, *range(0xD0, 0xD8))} | {_JPEG_END}
_JPEG_FILL = re.compile(rb"\xff+")
_JPEG_MARKER_BEHIND_SCAN = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # T.81 §B.1.1.2, §B.1.1.5

_BLOCK = 1024 * 1024
_MOST_PARTS = 100_000  # far above what programs write; decoders take minutes over millions of empty ones
_MOST_FILL = 1000


def kind_of(content: Content) -> str | None:
    """`PNG`, `JPEG`, `WEBP`, or None, by the first bytes."""
    start = content[:12]
    if start.startswith(_PNG_SIGNATURE):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    return None


def is_animated(kind: str, content: Content) -> bool:
    """Whether it carries an animation: PNG third edition §11.3.6.2 (acTL); WebP container specification, "ANIM".

    Raises `Invalid` when the parts of the file lead nowhere, or are too many to be a picture's.
    """
    return any(name in _ANIMATED for name, _start, _end in _parts(kind, content))


def without_metadata(kind: str, content: Content) -> Iterator[bytes]:
    """The same pixels, bit for bit, without EXIF, XMP, IPTC, comments, hidden previews and bytes behind the end.

    In blocks of at most 1 MiB; raises `Invalid` as `is_animated` does.
    """
    return _WITHOUT_METADATA[kind](content)


def _parts(kind: str, content: Content) -> Iterator[Part]:
    for number, part in enumerate(_WALKS[kind](content)):
        if number == _MOST_PARTS:
            raise damaged()
        yield part


def _blocks(content: Content, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _BLOCK):
        yield content[at : min(at + _BLOCK, end)]


def _png_chunks(content: Content) -> Iterator[Part]:
    """The chunks up to IEND (PNG third edition §5.3: length, type, content, CRC)."""
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(content):
        name, end = content[at + 4 : at + 8], at + 12 + int.from_bytes(content[at : at + 4])
        if end > len(content):
            break
        yield name, at, end
        if name == b"IEND":
            return
        at = end
    raise damaged()


def _png_without_metadata(content: Content) -> Iterator[bytes]:
    yield _PNG_SIGNATURE
    for name, start, end in _parts("PNG", content):
        if name in _PNG_KEPT:
            yield from _blocks(content, start, end)


def _webp_chunks(content: Content) -> Iterator[Part]:
    """The chunks inside the RIFF size, each with its padding."""
    at, end = 12, 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise damaged()
    while at + 8 <= end:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        following = at + 8 + size + size % 2
        yield content[at : at + 4], at, min(following, len(content))
        at = following


def _webp_without_metadata(content: Content) -> Iterator[bytes]:
    kept = [part for part in _parts("WEBP", content) if part[0] in _WEBP_KEPT]
    yield b"RIFF" + (sum(end - start for _name, start, end in kept) + 4).to_bytes(4, "little") + b"WEBP"
    for name, start, end in kept:
        if name == b"VP8X":
            yield content[start : start + 8] + bytes([content[start + 8] & ~_WEBP_EXIF_AND_XMP_FLAGS])
            yield content[start + 9 : end]
        else:
            yield from _blocks(content, start, end)


def _jpeg_segments(content: Content) -> Iterator[Part]:
    """The segments behind the start up to the end of the image, a scan with its data (ITU-T T.81 Annex B)."""
    at, marker = 2, b""
    while marker != _JPEG_END:
        fill = _JPEG_FILL.search(content, at)
        if fill is None or fill.end() == len(content) or fill.end() - fill.start() > _MOST_FILL:
            raise damaged()
        start, marker = fill.end() - 1, content[fill.end() : fill.end() + 1]
        at = _jpeg_segment_end(content, start, marker)
        yield marker, start, at


def _jpeg_segment_end(content: Content, start: int, marker: bytes) -> int:
    if marker in _JPEG_WITHOUT_LENGTH:
        return start + 2
    end = start + 2 + max(2, int.from_bytes(content[start + 2 : start + 4]))
    return _jpeg_scan_end(content, end) if marker == _JPEG_SCAN else end


def _jpeg_scan_end(content: Content, at: int) -> int:
    """The next marker but stuffed zeros and restarts, which belong to the scan; block by block, for other threads."""
    while at + 1 < len(content):
        found = _JPEG_MARKER_BEHIND_SCAN.search(content, at, at + _BLOCK + 1)
        if found is not None:
            return found.start()
        at += _BLOCK
    raise damaged()


def _jpeg_without_metadata(content: Content) -> Iterator[bytes]:
    """The segments that draw, with the JFIF header, colour profile and Adobe colour transform."""
    yield content[:2]
    for marker, start, end in _parts("JPEG", content):
        if _draws(marker, content[start + 4 : start + 16]):
            yield from _blocks(content, start, end)


def _draws(marker: bytes, start: bytes) -> bool:
    if marker == _JPEG_APP2:
        return start.startswith(b"ICC_PROFILE")
    if marker == _JPEG_APP0:
        return start.startswith(b"JFIF")
    if marker == _JPEG_APP14:
        return start.startswith(b"Adobe")
    return marker != _JPEG_COMMENT and not _JPEG_APP0 <= marker <= _JPEG_APP15


_WALKS: Mapping[str, Callable[[Content], Iterator[Part]]] = {
    "PNG": _png_chunks,
    "JPEG": _jpeg_segments,
    "WEBP": _webp_chunks,
}
_WITHOUT_METADATA: Mapping[str, Callable[[Content], Iterator[bytes]]] = {
    "PNG": _png_without_metadata,
    "JPEG": _jpeg_without_metadata,
    "WEBP": _webp_without_metadata,
}

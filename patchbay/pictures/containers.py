"""The byte layouts of PNG, JPEG and WebP: which one it is, whether it moves, and the same picture without metadata.

What does not live here: pixels. Nothing is decoded; chunks and segments are kept or left out as they are.
"""

from collections.abc import Iterator

from patchbay.pictures.pixels import damaged

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"pHYs"}
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"}
_WEBP_EXIF_AND_XMP_FLAGS = 0x08 | 0x04

_JPEG_START, _JPEG_END, _JPEG_SCAN = 0xD8, 0xD9, 0xDA
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_JPEG_INSIDE_SCAN = {0x00, 0xFF, *_JPEG_WITHOUT_LENGTH}
_JPEG_APP0, _JPEG_APP2, _JPEG_APP14, _JPEG_APP15, _JPEG_COMMENT = 0xE0, 0xE2, 0xEE, 0xEF, 0xFE


def kind_of(content: bytes) -> str | None:
    """`PNG`, `JPEG`, `WEBP`, or None, by the first bytes."""
    if content.startswith(_PNG_SIGNATURE):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return None


def is_animated(kind: str, content: bytes) -> bool:
    """Whether it carries an animation: PNG third edition §11.3.6.2 (acTL); WebP container specification, "ANIM"."""
    if kind == "PNG":
        return any(name == b"acTL" for name, _chunk in _png_chunks(content))
    if kind == "WEBP":
        return any(name in (b"ANIM", b"ANMF") for name, _chunk in _webp_chunks(content))
    return False


def without_metadata(kind: str, content: bytes) -> bytes:
    """The same pixels, bit for bit, without EXIF, XMP, IPTC, comments, hidden previews and bytes behind the end."""
    if kind == "PNG":
        return _PNG_SIGNATURE + b"".join(chunk for name, chunk in _png_chunks(content) if name in _PNG_KEPT)
    if kind == "WEBP":
        return _webp_without_metadata(content)
    return b"".join(_jpeg_without_metadata(content))


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole bytes of each chunk up to IEND (PNG third edition §5.3: length, type, content, CRC)."""
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4])
        name = content[at + 4 : at + 8]
        if end > len(content):
            break
        yield name, content[at:end]
        if name == b"IEND":
            return
        at = end
    raise damaged()


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and whole bytes, padding included, of each chunk inside the RIFF size."""
    at, end = 12, 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise damaged()
    while at + 8 <= end:
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        following = at + 8 + size + size % 2
        yield content[at : at + 4], content[at:following]
        at = following


def _webp_without_metadata(content: bytes) -> bytes:
    kept = bytearray()
    for name, chunk in _webp_chunks(content):
        if name == b"VP8X":
            kept += chunk[:8] + bytes([chunk[8] & ~_WEBP_EXIF_AND_XMP_FLAGS]) + chunk[9:]
        elif name in _WEBP_KEPT:
            kept += chunk
    return b"RIFF" + (len(kept) + 4).to_bytes(4, "little") + b"WEBP" + bytes(kept)


def _jpeg_without_metadata(content: bytes) -> Iterator[bytes]:
    """The segments that draw (ITU-T T.81 Annex B), with the JFIF header, colour profile and Adobe colour transform."""
    yield content[:2]
    at = 2
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise damaged()
        while content[at + 1 : at + 2] == b"\xff":
            at += 1  # fill bytes
        if at + 2 > len(content):
            raise damaged()
        marker, end = content[at + 1], _jpeg_segment_end(content, at)
        if _draws(marker, content[at + 4 : at + 16]):
            yield content[at:end]
        if marker == _JPEG_END:
            return
        at = end


def _jpeg_segment_end(content: bytes, at: int) -> int:
    marker = content[at + 1]
    if marker == _JPEG_END or marker in _JPEG_WITHOUT_LENGTH:
        return at + 2
    end = at + 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    if marker == _JPEG_SCAN:
        end = _jpeg_scan_end(content, end)
    return end


def _jpeg_scan_end(content: bytes, at: int) -> int:
    """The next marker but stuffed zeros and restarts, which belong to the scan (T.81 §B.1.1.2, §B.1.1.5)."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise damaged()
        following = content[at + 1]
        if following not in _JPEG_INSIDE_SCAN:
            return at
        at += 1 if following == 0xFF else 2


def _draws(marker: int, start: bytes) -> bool:
    if marker == _JPEG_APP2:
        return start.startswith(b"ICC_PROFILE")
    if marker == _JPEG_APP0:
        return start.startswith(b"JFIF")
    if marker == _JPEG_APP14:
        return start.startswith(b"Adobe")
    return marker != _JPEG_COMMENT and not _JPEG_APP0 <= marker <= _JPEG_APP15

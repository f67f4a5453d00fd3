"""Images without what they say about people and places; the picture's own bytes stay as they are.

JPEG: ITU T.81 annex B; Exif 2.32. PNG: ISO 15948. WebP: RFC 9649. Colour profiles stay: without
them the colours are others. The Exif orientation stays: without it the picture lies on its side.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}


@dataclass(frozen=True)
class Stripped:
    """The image file and whether it is known to be free of metadata."""

    data: bytes
    clean: bool


def strip_metadata(data: bytes) -> Stripped:
    """A JPEG, PNG or WebP file without Exif (but for the orientation), XMP, IPTC, comments and
    whatever follows the picture; other formats and damaged files as they are, `clean` False."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return Stripped(_strip_jpeg(data), True)
        if data.startswith(_PNG):
            return Stripped(_strip_png(data), True)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return Stripped(_strip_webp(data), True)
    except (struct.error, IndexError, ValueError):
        return Stripped(data, False)  # not built as its format says: better whole than broken
    return Stripped(data, False)


def file_extension(data: bytes) -> str:
    """The usual extension of an image file by its first bytes, '.bin' for what is none of them."""
    for start, extension in ((b"\xff\xd8\xff", ".jpg"), (_PNG, ".png"), (b"GIF8", ".gif"),
                             (b"BM", ".bmp"), (b"II*\0", ".tif"), (b"MM\0*", ".tif")):
        if data.startswith(start):
            return extension
    return ".webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ".bin"


def _strip_jpeg(data: bytes) -> bytes:
    kept = [b"\xff\xd8"]
    orientation = 1
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError("a marker was expected")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            kept.append(data[at:at + 2])
            at += 2
            continue
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if end > len(data):
            raise ValueError("a segment is cut")
        segment, body = data[at:end], data[at + 4:end]
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = _orientation(body[6:])
        elif _is_picture(marker, body):
            kept.append(segment)
        at = end
        if marker == 0xDA:
            end = _scan_end(data, at)
            kept.append(data[at:end])
            at = end
    if orientation != 1:
        exif = b"Exif\0\0" + _orientation_tiff(orientation)
        kept.insert(1 + (len(kept) > 1 and kept[1].startswith(b"\xff\xe0")),
                    b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif)
    return b"".join(kept)


def _is_picture(marker: int, body: bytes) -> bool:
    """All but comments and application data, except JFIF, the colour profile and Adobe's."""
    if marker == 0xFE:
        return False
    if 0xE0 <= marker <= 0xEF:
        return ((marker == 0xE0 and body.startswith(b"JFIF\0"))
                or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
                or (marker == 0xEE and body.startswith(b"Adobe")))
    return True


def _scan_end(data: bytes, at: int) -> int:
    """Where the coded data ends: at the next marker that is neither stuffing nor a restart."""
    while True:
        at = data.index(b"\xff", at)
        following = data[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _strip_png(data: bytes) -> bytes:
    kept = [_PNG]
    orientation = 1
    at = len(_PNG)
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError("a chunk is cut")
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8:at + 8 + length])
        if kind not in _PNG_TEXTS:
            kept.append(data[at:end])
        at = end
        if kind == b"IEND":
            break
    if orientation != 1:
        body = b"eXIf" + _orientation_tiff(orientation)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        kept.insert(2, chunk)  # after IHDR
    return b"".join(kept)


def _strip_webp(data: bytes) -> bytes:
    size = struct.unpack_from("<I", data, 4)[0]
    end = min(8 + size, len(data))
    kept: list[bytes] = []
    orientation = 1
    at = 12
    while at < end:
        kind, length = struct.unpack_from("<4sI", data, at)
        following = at + 8 + length + length % 2
        if at + 8 + length > end:
            raise ValueError("a chunk is cut")
        body = data[at + 8:at + 8 + length]
        if kind == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0"))
        elif kind != b"XMP ":
            kept.append(data[at:at + 8] + body + b"\0" * (length % 2))
        at = following
    if kept and kept[0].startswith(b"VP8X"):
        flags = kept[0][8] & ~0b00001100 | (0b00001000 if orientation != 1 else 0)
        kept[0] = kept[0][:8] + bytes([flags]) + kept[0][9:]
        if orientation != 1:
            tiff = _orientation_tiff(orientation)
            kept.append(b"EXIF" + struct.pack("<I", len(tiff)) + tiff)
    inside = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def _orientation(tiff: bytes) -> int:
    """The orientation (1..8) in the first directory of an Exif block; 1 where there is none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        start = struct.unpack_from(f"{order}I", tiff, 4)[0]
        for entry in range(struct.unpack_from(f"{order}H", tiff, start)[0]):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * entry)
            if tag == 0x0112 and 1 <= value <= 8:
                return int(value)
    except struct.error:
        return 1
    return 1


def _orientation_tiff(orientation: int) -> bytes:
    """An Exif block with one entry: tag 0x0112, a SHORT. 26 bytes, an even number."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)

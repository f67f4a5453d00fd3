"""What a file is, by its first bytes first and by its name second."""

from __future__ import annotations

import re
from typing import Literal

from explorer.errors import InputError, Where
from explorer.load.options import Upload

Format = Literal["csv", "lines", "json", "parquet", "xlsx", "npy", "npz", "zip", "image"]

_HEAD_BYTES = 4096
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7-Zip",
               b"Rar!": "RAR", b"\x28\xb5\x2f\xfd": "Zstandard"}
_FOREIGN = {b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old .xls or a password-protected workbook",
            b"\x89HDF": "an HDF5 file", b"SQLite format 3": "an SQLite database",
            b"ARROW1": "an Arrow/Feather file", b"Obj\x01": "an Avro file",
            b"\x7fELF": "a program", b"PK\x05\x06": "an empty zip"}
_IMAGE_HEADS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
_IMAGE_ENDINGS = {"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"}
_UNSUPPORTED_IMAGES = {"heic": "HEIC", "heif": "HEIC", "avif": "AVIF", "jxl": "JPEG XL",
                       "svg": "SVG"}
_PICKLES = {"pkl", "pickle", "pt", "pth", "joblib", "bin", "ckpt"}
_TEXT_ENDINGS = {"csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson", ""}
_PICKLE_HEAD = re.compile(rb"\x80[\x02-\x05]")
_BINARY_NAMES = {"parquet": "a Parquet file", "xlsx": "an Excel workbook", "npy": "a NumPy array",
                 "npz": "NumPy arrays", "zip": "a zip archive"}
_SUPPORTED = "CSV, TSV, TXT, JSONL, Parquet, XLSX, NPY, NPZ, a zip of images, or images"


def find_format(upload: Upload) -> Format:
    """The format of a file.

    Raises InputError EMPTY_FILE, COMPRESSED, PICKLED_ARRAY, LOOKS_LIKE_HTML, UNSUPPORTED or
    WRONG_FORMAT (the content is not what the name says).
    """
    with open(upload.path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        raise InputError("EMPTY_FILE", f"{upload.name} must hold data, got 0 bytes.",
                         Where(file=upload.name), "Check the export that wrote it.")
    binary = _binary_format(upload, head)
    if binary is not None:
        return binary
    return _text_format(upload, head)


def _binary_format(upload: Upload, head: bytes) -> Format | None:
    where = Where(file=upload.name)
    if head[:4] in (b"PAR1", b"PARE"):
        return "parquet"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK\x03\x04") and upload.ending not in _PICKLES:
        return _zip_format(upload, head)
    if _PICKLE_HEAD.match(head) or upload.ending in _PICKLES:
        raise InputError("PICKLED_ARRAY", f"{upload.name} must be plain data, got a Python pickle, "
                                          "which can run code.", where,
                         "Save the array with numpy.save(name, array, allow_pickle=False).")
    for magic, kind in _COMPRESSED.items():
        if head.startswith(magic):
            raise InputError("COMPRESSED", f"{upload.name} must be an unpacked file, got {kind}.",
                             where, "Unpack it first and upload what is inside.")
    for magic, kind in _FOREIGN.items():
        if head.startswith(magic):
            raise InputError("NO_IMAGES" if kind == "an empty zip" else "UNSUPPORTED",
                             f"{upload.name} must be {_SUPPORTED}, got {kind}.", where,
                             "Save the data as CSV or Parquet.")
    if upload.ending in _UNSUPPORTED_IMAGES:
        raise InputError("UNSUPPORTED", f"{_UNSUPPORTED_IMAGES[upload.ending]} is not supported.",
                         where, "Save the picture as PNG or JPEG.")
    if _is_image(head) or upload.ending in _IMAGE_ENDINGS:
        return "image"
    if upload.ending in _BINARY_NAMES:
        code = "TRUNCATED" if b"PK" in head[:2] else "WRONG_FORMAT"
        raise InputError(code, f"{upload.name} must be {_BINARY_NAMES[upload.ending]}, "
                               f"got {head[:8]!r} as its first bytes.", where,
                         "The file is cut off, damaged or has the wrong name.")
    return None


def _zip_format(upload: Upload, head: bytes) -> Format:
    if upload.ending in ("npz", "xlsx", "zip"):
        return upload.ending  # type: ignore[return-value]
    if b"[Content_Types].xml" in head or b"xl/" in head:
        return "xlsx"
    first = head[30:30 + int.from_bytes(head[26:28], "little")]
    return "npz" if first.endswith(b".npy") else "zip"


def _text_format(upload: Upload, head: bytes) -> Format:
    where = Where(file=upload.name)
    text = _plain(head).lstrip()
    start = text[:200].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        raise InputError("LOOKS_LIKE_HTML", f"{upload.name} must be data, got a web page.", where,
                         "The download gave an error or login page: open it in a browser to see.")
    if start.startswith(("<?xml", "<svg")):
        raise InputError("UNSUPPORTED", f"{upload.name} must be {_SUPPORTED}, got XML or SVG.",
                         where)
    if _is_binary(text) or (upload.ending not in _TEXT_ENDINGS and "\0" in text):
        raise InputError("WRONG_FORMAT", f"{upload.name} must be {_SUPPORTED}, got bytes that are "
                                         "no text.", where,
                         "The file is damaged or has the wrong name.")
    if upload.ending in ("json", "jsonl", "ndjson"):
        return "json"
    if upload.ending not in ("csv", "tsv", "tab", "txt") and text[:1] in ("{", "["):
        return "json"
    if text.startswith(('{"', '[{"')):
        return "json"
    return "lines" if upload.ending == "txt" else "csv"


def _plain(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="ignore")
    if head.count(0) > len(head) // 4:  # UTF-16 without its mark
        return head.replace(b"\0", b"").decode("latin-1")
    return head.decode("utf-8-sig", errors="replace")


def _is_image(head: bytes) -> bool:
    if head[:2] == b"BM":  # two letters a CSV may begin with: the reserved bytes decide
        return head[6:10] == b"\0\0\0\0"
    return head.startswith(_IMAGE_HEADS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def _is_binary(text: str) -> bool:
    """Whether it does not decode and one in twenty is a control character no text holds (NUL is
    counted later)."""
    controls = sum(ord(sign) < 32 and sign not in "\0\t\n\v\f\r\x1b" for sign in text)
    return controls * 20 > len(text) and "\ufffd" in text[:-1]

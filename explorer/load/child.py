"""The reader process: a request, progress on stdout, the result in its own folder."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from explorer.disk import disk_error
from explorer.errors import ExplorerError, InputError, Where
from explorer.load.content import Content
from explorer.load.find_format import Format, find_format
from explorer.load.join import join
from explorer.load.options import ReadOptions, Upload
from explorer.load.write_dataset import write_dataset
from explorer.spec import Progress, part

RESULT = "dataset.json"
REFUSAL = "refusal.json"
_DISK = {None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
_PAUSE = 0.1
_READ_SHARE = 0.8
Reader = Callable[[Upload, ReadOptions, Progress], Content]


def main(request: dict[str, Any]) -> None:
    """Do what was asked, write `dataset.json` or `refusal.json` beside the canonical files."""
    uploads = [Upload(item["name"], Path(item["path"])) for item in request["uploads"]]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        meta = read(uploads, ReadOptions(**request["options"]), Path.cwd(), _Reporter())
    except ExplorerError as refusal:
        _write(REFUSAL, refusal.to_dict())
    except MemoryError:
        _write(REFUSAL, _memory_refusal(uploads).to_dict())
    except OSError as error:
        full = _disk_refusal(error)
        if full is None:
            traceback.print_exc()
        _write(REFUSAL, (full or _crash(uploads, error)).to_dict())
    except Exception as error:
        traceback.print_exc()  # for the server's log; people get one sentence
        _write(REFUSAL, _crash(uploads, error).to_dict())
    else:
        _write(RESULT, meta)


def read(uploads: Sequence[Upload], options: ReadOptions, folder: Path,
         progress: Progress) -> dict[str, Any]:
    """Read all files, join them, write the canonical files into `folder`; the manifest's meta."""
    contents = _read_all(uploads, options, folder, part(progress, 0.0, _READ_SHARE))
    progress(_READ_SHARE, "Looking at the columns")
    content = join(contents, options.join, folder)
    return write_dataset(content, " + ".join(dict.fromkeys(upload.name for upload in uploads[:3])),
                         (), folder, part(progress, _READ_SHARE, 1.0))


def _read_all(uploads: Sequence[Upload], options: ReadOptions, folder: Path,
              progress: Progress) -> list[Content]:
    formats = [find_format(upload) for upload in uploads]
    pictures = [upload for upload, kind in zip(uploads, formats, strict=True) if kind == "image"]
    archives = formats.count("zip")
    if archives + bool(pictures) > 1:
        raise InputError("TOO_MANY_FILES", "Images must come in one zip or as image files, got "
                                           f"{archives} zips and {len(pictures)} image files.",
                         hint="Put them into one zip, a folder per class.")
    parts = [(upload, kind) for upload, kind in zip(uploads, formats, strict=True)
             if kind != "image"]
    count = len(parts) + bool(pictures)
    contents = []
    for i, (upload, kind) in enumerate(parts):
        step = part(progress, i / count, (i + 1) / count)
        contents.append(_read_one(upload, kind, options, folder, step))
    if pictures:
        from explorer.load.read_images import read_pictures

        contents.append(read_pictures(pictures, options, folder,
                                      part(progress, len(parts) / count, 1.0)))
    return contents


def _read_one(upload: Upload, kind: Format, options: ReadOptions, folder: Path,
              progress: Progress) -> Content:
    if kind == "zip":
        from explorer.load.read_images import read_zip

        return read_zip(upload, options, folder, progress)
    return reader_of(kind)(upload, options, progress)


def reader_of(kind: Format) -> Reader:
    """The function that reads this format; only its module is imported."""
    from importlib import import_module

    module = import_module(f"explorer.load.read_{kind}")
    reader: Reader = getattr(module, f"read_{kind}")
    return reader


class _Reporter:
    """Progress as JSON lines on stdout, at most ten a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, fraction: float, text: str) -> None:
        now = time.monotonic()
        if now - self._last >= _PAUSE:
            self._last = now
            sys.stdout.write(json.dumps({"fraction": fraction, "text": text}) + "\n")
            sys.stdout.flush()


def _memory_refusal(uploads: Sequence[Upload]) -> InputError:
    return InputError("MEMORY_LIMIT", f"{uploads[0].name} must be readable within the memory limit "
                                      "of the reader, got more.", Where(file=uploads[0].name),
                      "Upload a part of it, or raise EXPLORER_READER_MEMORY.")


def _disk_refusal(error: OSError) -> ExplorerError | None:
    """The words for a disk that took no more; the half-written files make room for them. None for
    other errors. (NumPy raises it without a number.)"""
    if error.errno not in _DISK:
        return None
    refusal = disk_error("store the data set", Path.cwd(), error)
    for path in Path.cwd().iterdir():
        path.unlink()
    return refusal


def _crash(uploads: Sequence[Upload], error: Exception) -> InputError:
    return InputError("READER_CRASHED", f"{uploads[0].name} must be readable, but the reader "
                                        f"failed with {type(error).__name__}.",
                      Where(file=uploads[0].name),
                      "The file is damaged in a way nobody expected. Save it in another format.")


def _end_with_parent() -> None:
    """The parent holds our stdin open as long as it lives. Read below Python's buffer, whose lock
    would be held when this process ends by itself."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _write(name: str, content: dict[str, Any]) -> None:
    Path(name).write_text(json.dumps(content, allow_nan=False), encoding="utf-8")

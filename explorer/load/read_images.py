"""Images: a zip with a folder per class, or several files. What cannot be read is listed."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, Field, cut, number_of, shown
from explorer.load.draw_thumbnail import UnreadableImage, draw_thumbnail
from explorer.load.limits import MAX_ENTRY_BYTES, MAX_PLACES
from explorer.load.open_zip import (
    BROKEN,
    Budget,
    EntryTooLarge,
    check_zip,
    is_folder,
    read_entry,
)
from explorer.load.options import ReadOptions, Upload
from explorer.load.write_pictures import PictureWriter
from explorer.spec import Progress

_ARCHIVES = {"zip", "gz", "tgz", "tar", "7z", "rar", "bz2", "xz", "zst", "npz", "jar"}
_LITTER = {"thumbs.db", "desktop.ini"}
_LISTED = 200
_REPORT_IMAGES = 20


@dataclass
class _Gathering:
    """The images taken so far, what was left out and why, and oddities of those taken."""

    writer: PictureWriter
    names: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)
    litter: int = 0
    range_scaled: list[str] = field(default_factory=list)
    animated: list[str] = field(default_factory=list)

    def take(self, name: str, data: bytes) -> None:
        """Add the image, or note why it cannot be read."""
        try:
            thumbnail = draw_thumbnail(data, name)
        except UnreadableImage as reason:
            self.left_out[name] = str(reason)
            return
        self.writer.add(data, thumbnail.data)
        self.names.append(name)
        if thumbnail.range_scaled:
            self.range_scaled.append(name)
        if thumbnail.animated:
            self.animated.append(name)


def read_zip(upload: Upload, options: ReadOptions, folder: Path, progress: Progress) -> Content:
    """The readable images of a zip in its order, written into `folder`: columns `file` (path in the
    zip) and, when there are folders, `folder` as the label.

    Raises InputError NO_IMAGES, TRUNCATED, TOO_MANY_ENTRIES, OVERLAPPING_ENTRIES, TOO_LARGE.
    """
    entries = [entry for entry in check_zip(upload) if not is_folder(entry)]
    budget = Budget(upload)
    with PictureWriter(folder) as writer, zipfile.ZipFile(upload.path) as archive:
        gathering = _Gathering(writer)
        for done, entry in enumerate(entries):
            if done % _REPORT_IMAGES == 0:
                progress(done / len(entries), f"{done:,} of {len(entries):,} files read")
            _take_entry(gathering, archive, entry, budget)
    labels = _folders(gathering.names)
    return _finish(upload.name, options, gathering, labels)


def read_pictures(uploads: Sequence[Upload], options: ReadOptions, folder: Path,
                  progress: Progress) -> Content:
    """Several image files in the order given, written into `folder`; column `file`.

    Raises InputError NO_IMAGES.
    """
    with PictureWriter(folder) as writer:
        gathering = _Gathering(writer)
        for done, upload in enumerate(uploads):
            if done % _REPORT_IMAGES == 0:
                progress(done / len(uploads), f"{done:,} of {len(uploads):,} images read")
            name = _unused(upload.name, gathering)
            if upload.bytes > MAX_ENTRY_BYTES:
                gathering.left_out[name] = _too_large()
            else:
                gathering.take(name, upload.path.read_bytes())
    return _finish(uploads[0].name, options, gathering, [])


def _take_entry(gathering: _Gathering, archive: zipfile.ZipFile, entry: zipfile.ZipInfo,
                budget: Budget) -> None:
    name = entry.filename
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1].lower() in _LITTER:
        gathering.litter += 1
        return
    name = _unused(name, gathering)
    reason = _refused(entry, parts[-1])
    if reason:
        gathering.left_out[name] = reason
        return
    try:
        data = read_entry(archive, entry, budget)
    except EntryTooLarge:
        gathering.left_out[name] = _too_large()
    except BROKEN as error:
        gathering.left_out[name] = f"DAMAGED_ENTRY: {str(error)[:100]}"
    else:
        gathering.take(name, data)


def _refused(entry: zipfile.ZipInfo, name: str) -> str:
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "SYMLINK: a link to another file"
    if entry.flag_bits & 1:
        return "ENCRYPTED: it needs a password"
    if "." in name and name.rsplit(".", 1)[1].lower() in _ARCHIVES:
        return "NESTED_ARCHIVE: archives inside are not opened"
    return ""


def _folders(names: Sequence[str]) -> list[str]:
    """The folder of each file below what all have in common; [] when that is nothing."""
    paths = [name.replace("\\", "/").split("/")[:-1] for name in names]
    if not paths:
        return []
    depth = 0
    while all(len(path) > depth and path[depth] == paths[0][depth] for path in paths):
        depth += 1
    labels = ["/".join(path[depth:]) for path in paths]
    return labels if any(labels) else []


def _finish(source: str, options: ReadOptions, gathering: _Gathering,
            labels: list[str]) -> Content:
    n = len(gathering.names)
    left_out = gathering.left_out
    if not n:
        examples = "; ".join(f"{shown(name)}: {reason}"
                             for name, reason in list(left_out.items())[:3])
        raise InputError(
            "NO_IMAGES", f"{source} must hold at least one image that can be read, got none among "
                         f"{number_of(len(left_out), 'file')}.",
            Where(file=source, entry=next(iter(left_out), None)),
            f"Left out: {examples}." if examples else "Put PNG or JPEG files into it.")
    fields = [Field("file", pa.chunked_array([[_clean(name) for name in gathering.names]]),
                    role="id", why="The path of each image.")]
    if labels:
        fields.append(Field("folder", pa.chunked_array([[_clean(label) for label in labels]])))
    return Content(source, n, tuple(fields), options, tuple(_issues(gathering)),
                   gathering.writer.finish(), tuple(left_out))


def _issues(gathering: _Gathering) -> Iterator[Issue]:
    left_out = gathering.left_out
    if left_out:
        kinds = Counter(reason.split(":")[0] for reason in left_out.values())
        words = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(5))
        yield Issue("warning", "IMAGES_LEFT_OUT",
                    f"{number_of(len(left_out), 'file')} not readable as an image, left "
                    f"out ({words}).", len(left_out),
                    entries=tuple(f"{cut(_clean(name), 300)}: {reason}"
                                  for name, reason in list(left_out.items())[:_LISTED]))
    if gathering.litter:
        yield Issue("note", "SYSTEM_FILES", f"{number_of(gathering.litter, 'hidden file')} of the "
                                            "operating system were passed over.", gathering.litter)
    if gathering.range_scaled:
        yield _listing("RANGE_SCALED", "images have more than 8 bits: their previews show each "
                                       "image's own range, the files are unchanged.",
                       gathering.range_scaled)
    if gathering.animated:
        yield _listing("FIRST_FRAME", "images have several frames: the first one is used.",
                       gathering.animated)


def _listing(code: str, words: str, names: list[str]) -> Issue:
    return Issue("note", code, f"{len(names):,} {words}", len(names),
                 entries=tuple(cut(_clean(name), 300) for name in names[:MAX_PLACES]))


def _unused(name: str, gathering: _Gathering) -> str:
    """The name, with a number when the archive holds it twice."""
    given, number = name, 2
    while name in gathering.taken:
        name, number = f"{given} ({number})", number + 1
    gathering.taken.add(name)
    return name


def _clean(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")


def _too_large() -> str:
    return f"TOO_LARGE: more than {MAX_ENTRY_BYTES:,} bytes"

"""Several NumPy arrays in a zip: one is chosen, its header checked before it is unpacked."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from explorer.dataset import Issue
from explorer.errors import InputError, Where
from explorer.load.content import Content, cut, offer, shown
from explorer.load.limits import MAX_PLACES
from explorer.load.open_zip import BROKEN, check_zip, is_folder
from explorer.load.options import ReadOptions, Upload
from explorer.load.read_npy import MAGIC, Header, as_content, check_header, read_header, shaped
from explorer.spec import Progress

_BLOCK = 1 << 22


@dataclass(frozen=True)
class _Member:
    entry: zipfile.ZipInfo
    name: str
    header: Header | None
    problem: InputError | None


def read_npz(upload: Upload, options: ReadOptions, progress: Progress) -> Content:
    """The array `options.array`, or the only usable one.

    Raises InputError CHOOSE_ARRAY naming the arrays, NO_ARRAY, NOT_AN_ARRAY, DAMAGED_ENTRY,
    ENCRYPTED, and those of `read_npy`.
    """
    entries = check_zip(upload)
    with zipfile.ZipFile(upload.path) as archive:
        members = [_inspect(upload, archive, entry) for entry in entries
                   if not is_folder(entry)]
        chosen = _choose(upload, members, options.array)
        progress(0.1, f"Unpacking {shown(chosen.name)}")
        array = _unpack(upload, archive, chosen)
    content = as_content(upload, replace(options, array=chosen.name), array, chosen.name)
    bad = [member for member in members if member.problem is not None]
    if not bad:
        return content
    return content.with_issues([Issue(
        "warning", "ARRAYS_NOT_USABLE", f"{len(bad)} of {len(members)} entries cannot be read as "
                                        "numbers.", len(bad),
        entries=tuple(f"{cut(member.name, 300)}: {member.problem.code}"
                      for member in bad[:MAX_PLACES]
                      if member.problem is not None))])


def _inspect(upload: Upload, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> _Member:
    name = entry.filename.removesuffix(".npy")
    where = Where(file=upload.name, entry=entry.filename)
    if entry.flag_bits & 1:
        return _Member(entry, name, None, InputError(
            "ENCRYPTED", "An entry must be readable without a password.", where))
    try:
        with archive.open(entry) as file:
            head = file.read(len(MAGIC))
        if head != MAGIC:
            raise InputError("NOT_AN_ARRAY", f"An entry of an .npz must be an array, got "
                                             f"{shown(head)} as its first bytes.", where,
                             "Write the file with numpy.savez.")
        with archive.open(entry) as file:
            header = read_header(file, where)
        check_header(header, entry.file_size, where)
    except InputError as problem:
        return _Member(entry, name, None, problem)
    except BROKEN as error:
        return _Member(entry, name, None, _damaged(where, error))
    return _Member(entry, name, header, None)


def _choose(upload: Upload, members: list[_Member], asked: str | None) -> _Member:
    where = Where(file=upload.name, parameter="array")
    usable = [member for member in members if member.header is not None]
    shapes = ", ".join(f"{cut(member.name)} {member.header.shape}" for member in usable[:MAX_PLACES]
                       if member.header is not None)
    names = offer(member.name for member in usable)
    if asked is not None:
        named = [member for member in members if member.name == asked]
        if not named:
            raise InputError("NO_ARRAY", f"The array must be one of {shapes or 'none'}, got "
                                         f"{shown(asked)}.", where, choices=names)
        if named[0].problem is not None:
            raise named[0].problem
        return named[0]
    if not usable:
        problems = [member.problem for member in members if member.problem is not None]
        if problems:
            raise problems[0]
        raise InputError("NO_ARRAY", f"{upload.name} must hold at least one array, got none.",
                         Where(file=upload.name))
    if len(usable) > 1:
        raise InputError("CHOOSE_ARRAY", f"One array must be chosen, {upload.name} has: {shapes}.",
                         where, "Choose the one that holds the vectors.", names)
    return usable[0]


def _unpack(upload: Upload, archive: zipfile.ZipFile, member: _Member) -> np.ndarray:
    assert member.header is not None
    header = member.header
    where = Where(file=upload.name, entry=member.entry.filename)
    values = np.empty(prod(header.shape), header.dtype)
    target = values.view(np.uint8)
    filled = 0
    try:
        with archive.open(member.entry) as file:
            file.read(header.start)
            while filled < len(target):
                block = file.read(min(_BLOCK, len(target) - filled))
                if not block:
                    raise EOFError("it ends early")
                target[filled:filled + len(block)] = np.frombuffer(block, np.uint8)
                filled += len(block)
            if file.read(1):  # reading to the end also checks the CRC
                raise EOFError("it goes on after its numbers")
    except BROKEN as error:
        raise _damaged(where, error) from None
    return shaped(values, header)


def _damaged(where: Where, error: BaseException) -> InputError:
    return InputError("DAMAGED_ENTRY", f"The entry must be whole, got: {str(error)[:150]}.", where,
                      "Write the file again, or copy it again.")

"""Imports as jobs: uploads or samples -> dataset, run beside the engine in a limited process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from explorer.dataset import Dataset, open_dataset
from explorer.errors import DataError, ExplorerError, InputError, ParameterError, Where
from explorer.jobs import Step
from explorer.load import ReadOptions, Upload, load_sample, read_files
from explorer.spec import Progress, result_key, silent
from explorer.store import Store
from explorer.uploads import Kept, keep_upload, kept_path

__all__ = ["SAMPLE", "Kept", "execute", "imported", "keep_upload", "kept_step", "offered",
           "open_data", "read_options", "sample_step", "upload_step"]

SAMPLE = "sample:"
"""Before a sample's key it stands for a file: 'sample:digits'."""
_START_SECONDS, _BYTES_A_SECOND = 2.0, 3e6


def kept_step(files: Sequence[Kept], options: ReadOptions, home: Path) -> Step:
    """The job that reads kept uploads. Raises InputError UPLOAD_GONE when they were removed."""
    uploads = [Upload(file.name, kept_path(file, home)) for file in files]
    return upload_step(uploads, [file.sha256 for file in files], options)


def upload_step(uploads: Sequence[Upload], digests: Sequence[str], options: ReadOptions) -> Step:
    """The job that reads these files; `digests` are the sha256 of their bytes."""
    plain = asdict(options)
    # In the order given: the first table gives the rows their order.
    key = result_key("import", 2, list(zip([upload.name for upload in uploads], digests,
                                           strict=True)), plain)
    files = [{"name": upload.name, "path": str(upload.path)} for upload in uploads]
    title = uploads[0].name if len(uploads) == 1 else f"{len(uploads)} files"
    return Step(key=key, kind="import", title=f"Reading {title}", call="explorer.imports:execute",
                payload={"key": key, "files": files, "options": plain}, lane="host",
                seconds=_START_SECONDS + sum(map(_size, uploads)) / _BYTES_A_SECOND)


def sample_step(key: str, title: str) -> Step:
    """The job that makes a sample data set."""
    name = result_key("import", "sample", 2, key)
    return Step(key=name, kind="import", title=f"Preparing {title}",
                call="explorer.imports:execute", payload={"key": name, "sample": key},
                lane="host", seconds=3.0)


def open_data(sources: Sequence[str | Path], store: Store, options: ReadOptions | None = None,
              progress: Progress = silent) -> Dataset:
    """The dataset of these files, or of one sample ('sample:digits'); read once, then found.

    Raises InputError for what cannot be read, ParameterError for a sample there is not.
    """
    step = _step([str(source) for source in sources], options or ReadOptions())
    dataset = imported(store, step.key)
    if dataset is None:
        execute(step.payload, str(store.root), progress)
        dataset = imported(store, step.key)
    assert dataset is not None, "an import that did not raise has stored its dataset"
    return dataset


def read_options(plain: Mapping[str, Any]) -> ReadOptions:
    """Options out of a recipe or keyword arguments; ParameterError for unknown names or values."""
    unknown = set(plain) - set(ReadOptions.__dataclass_fields__)
    if unknown:
        name = sorted(unknown)[0]
        raise ParameterError("UNKNOWN_PARAMETER",
                             f"A way to read a file must be one of "
                             f"{', '.join(ReadOptions.__dataclass_fields__)}, got {name!r}.",
                             Where(parameter=name))
    try:
        return TypeAdapter(ReadOptions).validate_python(dict(plain))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        allowed = first["msg"].removeprefix("Input should be ")
        raise ParameterError("OUT_OF_RANGE", f"{name} must be {allowed}, "
                                             f"got {str(first['input'])[:80]!r}.",
                             Where(parameter=name)) from None


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Read the files (or make the sample) and store, under the job's key, which dataset it is."""
    store = Store(Path(home), create=False)
    if "sample" in payload:
        dataset = load_sample(payload["sample"], store, progress)
    else:
        uploads = [Upload(file["name"], Path(file["path"])) for file in payload["files"]]
        dataset = read_files(uploads, ReadOptions(**payload["options"]), store, progress)
    store.put(payload["key"], {}, {"type": "Import", "dataset": dataset.id, **dataset.told()})


def imported(store: Store, key: str) -> Dataset | None:
    """The dataset an import made, with the name and report of that import (other files may have
    the same content); None when it is not done (or the dataset is gone)."""
    entry = store.find(key)
    if entry is None or entry.meta.get("type") != "Import":
        return None
    try:
        return open_dataset(store, entry.meta["dataset"]).retold(entry.meta)
    except (DataError, KeyError):  # gone, or told by an older version: read again
        return None


def offered(error: ExplorerError) -> tuple[str, ...]:
    """The arrays, sheets or columns of which a refusal of the reader says one would do."""
    return error.choices


def _step(sources: list[str], options: ReadOptions) -> Step:
    samples = [source for source in sources if source.startswith(SAMPLE)]
    if samples and len(sources) > 1:
        raise InputError("MIXED_SOURCES", "A sample must stand alone, got "
                                          f"{len(sources)} sources.", Where(file=samples[0]))
    if samples:
        key = samples[0].removeprefix(SAMPLE)
        return sample_step(key, key)
    uploads = [Upload(Path(source).name, Path(source).resolve()) for source in sources]
    return upload_step(uploads, [_sha256(upload) for upload in uploads], options)


def _size(upload: Upload) -> int:
    return upload.bytes if upload.path.exists() else 0


def _sha256(upload: Upload) -> str:
    if upload.path.exists() and not upload.path.is_file():
        raise InputError("NO_FILE", "The file must be a plain one, got a folder, a pipe or a "
                                    "device.", Where(file=upload.name), "Check the path.")
    try:
        with open(upload.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError("NO_FILE", f"The file must be readable, got: {error.strerror}.",
                         Where(file=upload.name), "Check the path.") from None

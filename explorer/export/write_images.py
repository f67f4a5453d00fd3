"""A zip with a folder of images per cluster, rows.csv and the manifest."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from explorer.errors import DataError
from explorer.escape import safe_filename
from explorer.export.atomic import to_json, writing
from explorer.export.strip_metadata import file_extension, strip_metadata
from explorer.export.table import Export
from explorer.export.write_table import Written, csv_manifest, stream_csv, zip_entry
from explorer.spec import Progress, part, silent


@dataclass
class _Names:
    """Names given so far, so that no two are one on a file system that ignores case."""

    taken: set[str] = field(default_factory=set)

    def unique(self, stem: str, extension: str = "", folder: str = "") -> str:
        name, number = f"{folder}{stem}{extension}", 2
        while name.casefold() in self.taken:
            name, number = f"{folder}{stem} ({number}){extension}", number + 1
        self.taken.add(name.casefold())
        return name


def write_images_zip(export: Export, path: Path, *, excel_safe: bool = True,
                     progress: Progress = silent) -> Written:
    """The rows' images in one folder per cluster (by `cluster_name` or `cluster` of our columns;
    'images' where there are no clusters), named by row id; rows.csv with an `image_file` column;
    manifest.json.

    Picture data is not touched, but Exif, XMP, comments and the like are taken out of JPEG, PNG and
    WebP files; of other formats the manifest says how many still hold what they held. Rows without
    an image are counted there. Raises DataError NO_IMAGES, and as `write_csv`.
    """
    export.verify()
    if not export.dataset.has_images:
        raise DataError("NO_IMAGES", "A zip of images must have a data set with images, "
                                     f"got {export.dataset.name!r} without.",
                        hint="Export CSV, Parquet or JSONL instead.")
    folders = _folders(export)
    identifiers = export.dataset.row_ids
    names = _Names({"rows.csv", "manifest.json"})
    files: list[str | None] = []
    kept: Counter[str] = Counter()
    with writing(path) as target, zipfile.ZipFile(target, "w", allowZip64=True) as archive:
        share = part(progress, 0.0, 0.8)
        for at, row in enumerate(export.rows.tolist()):
            image = export.dataset.image(row)
            if not image:
                files.append(None)
                continue
            extension = file_extension(image)
            stem = safe_filename(identifiers[row].removesuffix(extension))
            name = names.unique(stem, extension, f"{folders[at]}/")
            stripped = strip_metadata(image)
            if not stripped.clean:
                kept[extension] += 1
            archive.writestr(zip_entry(name), stripped.data)
            files.append(name)
            if at % 256 == 0:
                share(at / len(folders), f"{at:,} of {len(folders):,} images")
        listed = _with_files(export, files)
        with archive.open(zip_entry("rows.csv"), "w", force_zip64=True) as entry:
            stream_csv(listed, entry, excel_safe=excel_safe, progress=part(progress, 0.8, 1.0))
        manifest = _manifest(listed, path.name, files, kept, excel_safe)
        archive.writestr(zip_entry("manifest.json"), to_json(manifest))
    return Written(path, manifest, None)


def _folders(export: Export) -> list[str]:
    """The folder of every row; two clusters never share one."""
    columns = export.extra.column_names
    key = next((name for name in ("cluster", "cluster_name") if name in columns), None)
    if key is None:
        return ["images"] * len(export.rows)
    labels = export.extra.column(key).to_pylist()
    titles = export.extra.column("cluster_name").to_pylist() if "cluster_name" in columns \
        else [None if label is None else f"Cluster {label}" if label >= 0 else "Noise"
              for label in labels]
    names, found = _Names({"rows.csv", "manifest.json"}), dict[Any, str]()
    for label, title in sorted(set(zip(labels, titles, strict=True)),
                               key=lambda pair: (pair[0] is None, pair[0])):
        found[label] = names.unique(safe_filename(title or "no cluster"))
    return [found[label] for label in labels]


def _with_files(export: Export, files: list[str | None]) -> Export:
    column = pa.array(files, pa.string())
    extra = export.extra.append_column("image_file", column) if export.extra.num_columns \
        else pa.table({"image_file": column})
    return replace(export, extra=extra)


def _manifest(export: Export, name: str, files: list[str | None], kept: Counter[str],
              excel_safe: bool) -> dict[str, Any]:
    manifest = csv_manifest(export, "rows.csv", excel_safe=excel_safe)
    images = len(files) - files.count(None)
    return {**manifest, "images": {
        "zip": name, "images": images, "rows_without_image": files.count(None),
        "metadata_removed": images - sum(kept.values()),
        "metadata_not_removed": dict(sorted(kept.items())),
        "note": "Picture data is as uploaded. Exif (but for the orientation), XMP, IPTC and "
                "comments are removed from JPEG, PNG and WebP files; colour profiles stay. Files "
                "counted under metadata_not_removed are whole."}}

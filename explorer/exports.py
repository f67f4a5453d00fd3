"""Exports as jobs: chosen rows of a run -> files in the store, with their manifest and recipe."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.dataset import open_dataset
from explorer.disk import disk_error
from explorer.errors import DataError, StoreError
from explorer.export.manifest import MEANINGS, NOISE_POLICY, make_manifest
from explorer.export.rows import (
    Export,
    Written,
    bundle,
    write_csv,
    write_images_zip,
    write_jsonl,
    write_parquet,
)
from explorer.jobs import Step
from explorer.measures import measures
from explorer.plan import make_plan
from explorer.recipe import Call, recipe_from_data
from explorer.run import Run
from explorer.spec import Progress, part, result_key, silent
from explorer.store import Store


@dataclass(frozen=True)
class Format:
    """One way to take rows away: what people read, the file it makes, and who writes it."""

    key: str
    title: str
    file: str
    mime: str
    write: Callable[[Export, Path, Progress], Written]
    images: bool = False
    vectors: bool = False
    """Whether it holds columns of vectors."""


FORMATS: dict[str, Format] = {form.key: form for form in (
    Format("csv", "CSV, safe for Excel", "rows.csv", "text/csv",
           lambda export, path, progress: write_csv(export, path, excel_safe=True,
                                                    progress=progress)),
    Format("csv_exact", "CSV, exact", "rows.csv", "text/csv",
           lambda export, path, progress: write_csv(export, path, excel_safe=False,
                                                    progress=progress)),
    Format("parquet", "Parquet", "rows.parquet", "application/vnd.apache.parquet",
           lambda export, path, progress: write_parquet(export, path, progress=progress),
           vectors=True),
    Format("jsonl", "JSONL", "rows.jsonl", "application/jsonl",
           lambda export, path, progress: write_jsonl(export, path, progress=progress),
           vectors=True),
    Format("images", "Images, a folder per cluster", "images.zip", "application/zip",
           lambda export, path, progress: write_images_zip(export, path, progress=progress),
           images=True),
)}


def export_step(current: Run, rows: np.ndarray, names: Mapping[int, str], form: str,
                notes: Mapping[int, str] | None = None) -> Step:
    """The job that writes these dataset rows (int64, ascending) in a format of FORMATS. `names` and
    `notes` are what people said about clusters.

    Nothing is stored yet: `keep_rows` does so before the job is asked for.
    """
    if not len(rows):
        raise DataError("NO_ROWS", "An export must have at least one row, got none.",
                        hint="Pick clusters or choose rows on the map.")
    chosen = _rows_key(current, rows)
    named = {str(label): name for label, name in sorted(names.items())}
    noted = {str(label): note for label, note in sorted((notes or {}).items())}
    told = current.dataset.told()
    # Studies are in it when they are computed, not when they are asked for.
    recipe = current.recipe.bare.to_data()
    if current.findings:
        recipe["studies"] = [Call.of(made.study).model_dump(mode="json")
                             for made in current.findings]
    parts = [recipe, current.dataset.id, current.dataset.roles, chosen, named,
             form, told, *([noted] if noted else [])]
    key = result_key("export", 3, *parts)
    payload = {"step": "export", "key": key, "recipe": recipe, "told": told,
               "dataset": current.dataset.id, "roles": current.dataset.roles, "rows": chosen,
               "names": named, "notes": noted, "format": form}
    return Step(key=key, kind="export", title=f"Export of {len(rows):,} rows",
                call="explorer.exports:execute", payload=payload, seconds=1 + 2e-5 * len(rows))


def keep_rows(current: Run, rows: np.ndarray) -> None:
    """Store chosen rows (int64, ascending) where the job of `export_step` finds them: it stays
    small."""
    current.store.put(_rows_key(current, rows), {"rows": rows.astype(np.int64)}, {"type": "Rows"})


def _rows_key(current: Run, rows: np.ndarray) -> str:
    digest = hashlib.blake2b(rows.astype("<i8").tobytes(), digest_size=16).hexdigest()
    return result_key("rows", 2, current.dataset.id, len(rows), digest)


def execute(payload: dict[str, Any], home: str, progress: Progress) -> None:
    """Write the files of an export into the store: the rows, manifest.json, recipe.yaml, and all
    of them together as export.zip."""
    store = Store(Path(home), create=False)
    if store.find(payload["key"]) is not None:
        return
    recipe = recipe_from_data(payload["recipe"])
    dataset = open_dataset(store, payload["dataset"]).with_roles(payload["roles"])
    plan = make_plan(recipe, dataset.retold(payload["told"]), store)
    missing = plan.missing(store)
    if missing:
        raise StoreError("NOT_STORED", f"The results must all be there to be exported; "
                                       f"{missing[0].title} is not any more.",
                         hint="Run the recipe again; then export.")
    current = Run(plan, store)
    rows = np.array(store.get(payload["rows"]).array("rows"))
    names = {int(label): name for label, name in payload["names"].items()}
    notes = {int(label): note for label, note in payload.get("notes", {}).items()}
    folder = store.new_folder()
    try:
        progress(0.1, "collecting rows")
        export = make_export(current, rows, names, payload["key"], notes)
        written = write_files(export, folder, payload["format"], part(progress, 0.2, 0.9))
        progress(0.9, "packing")
        bundle(list(written), folder / "export.zip")
        progress(1.0, "packed")
        store.adopt(payload["key"], folder, {"type": "Export", "rows": len(export.rows),
                                             "format": payload["format"]})
    except OSError as error:
        raise disk_error("write the export", folder, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_export(current: Run, rows: np.ndarray, names: dict[int, str], key: str = "",
                notes: Mapping[int, str] | None = None) -> Export:
    """The export `key` of dataset rows; rows without a vector have empty cells in our columns."""
    uncovered = int(np.count_nonzero(~np.isin(rows, current.rows)))
    return Export(dataset=current.dataset, rows=rows, extra=current.table_of(rows, names),
                  manifest=manifest_of(current, len(rows), uncovered, names, key, notes))


def manifest_of(current: Run, rows: int, uncovered: int, names: dict[int, str],
                key: str = "", notes: Mapping[int, str] | None = None) -> dict[str, Any]:
    """Recipe, sources, scores, what each of our columns means, and the export's own id: its first
    8 digits are in the name of the download."""
    scores = [vars(score) for score in current.scores]
    return make_manifest(
        current.recipe.to_data(), current.dataset, rows, noise=_noise(current),
        space=current.space, meanings=meanings_of(current), extra={
        "export": key, "results": {name: _made(current, key) for name, key in {
            "embedding": current.plan.embedding, "projection": current.plan.projection,
            "clustering": current.plan.clustering, **current.plan.judgements}.items()},
        "scores": scores, "rows_without_vector": uncovered, **_studied(current),
        "cluster_names": {str(label): name for label, name in names.items()},
        "cluster_notes": {str(label): note for label, note in (notes or {}).items()},
        **_edited(current)})


def _edited(current: Run) -> dict[str, Any]:
    """What was done to the clustering by hand: nothing where nothing was."""
    if not current.plan.edited:
        return {}
    return {"edits": {"steps": len(current.plan.edited), "rows_changed": current.rows_edited,
                      "original_clustering": _made(current, current.plan.original)}}


def _studied(current: Run) -> dict[str, Any]:
    """What studies found out: nothing where none is computed."""
    told = [{"study": made.study.key, "parameters": made.study.values(),
             **_made(current, made.key), "scores": [vars(score) for score in made.finding.scores],
             "notes": list(made.finding.notes)} for made in current.findings]
    return {"studies": told} if told else {}


def _made(current: Run, key: str) -> dict[str, Any]:
    """The result's name and the versions of the libraries that made it, perhaps long ago."""
    entry = current.store.get(key)
    return {"key": key, "versions": entry.meta["provenance"].get("versions", {})}


def meanings_of(current: Run) -> dict[str, str]:
    """Column name -> what it means in this run, for every column `Run.table` adds: the method, the
    space and the metric behind it."""
    recipe, projection = current.recipe, current.projection
    clusterer, projector = recipe.clustering.title, recipe.projecting.title
    steps = len(current.plan.edited)
    times = "1 step" if steps == 1 else f"{steps:,} steps"
    found = {
        "cluster": f"{MEANINGS['cluster']}; made by {clusterer} in {current.space}" if not steps
        else f"number of the cluster; -1 is noise; made by {clusterer} in {current.space}, then "
             f"edited by hand in {times} (in recipe.yaml): a cluster nobody touched keeps its "
             "number, a new one gets a number nothing had before",
    }
    if steps:
        found["original_cluster"] = (f"{MEANINGS['cluster']}; made by {clusterer} in "
                                     f"{current.space}, before any edit")
    found |= {measure.column: f"{measure.said.about}; {measure.made_by}; empty where it is not "
                              "defined" for measure in measures(current).values()}
    if projection is not None:
        found |= {axis: f"{name}: {MEANINGS[axis]}, made by {projector}" for axis, name
                  in zip("xyz", projection.axes, strict=False)}
    return found


def _noise(current: Run) -> str:
    clustering = current.clustering
    if clustering is None or not clustering.noise:
        return f"There are no noise rows. {NOISE_POLICY}"
    return (f"{clustering.noise:,} of {len(clustering.labels):,} clustered rows are noise. "
            f"{NOISE_POLICY}")


def write_files(export: Export, folder: Path, form: str,
                progress: Progress = silent) -> tuple[Path, ...]:
    """The data file, manifest.json and recipe.yaml, in a folder that is there."""
    chosen = FORMATS[form]
    data = folder / chosen.file
    written = chosen.write(export, data, progress)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(written.manifest, indent=1, ensure_ascii=False,
                                   allow_nan=False), encoding="utf-8")
    if written.manifest_path is not None:
        written.manifest_path.unlink()  # the same, under the name people are told
    recipe = folder / "recipe.yaml"
    recipe.write_text(recipe_from_data(export.manifest["recipe"]).to_yaml(), encoding="utf-8")
    return data, manifest, recipe

"""The columns of a data set: unique names, a role each, at most one label, coordinates in pairs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.dataset import Column, Issue, Role
from explorer.load.content import Block, Content, Field, first_places, number_of, shown
from explorer.load.limits import MAX_PLACES
from explorer.load.list_vectors import vectors_of
from explorer.load.study_column import Finding, study
from explorer.spec import Progress

_LABEL_NAMES = ("label", "labels", "target", "class", "classes", "topic", "category", "species",
                "folder", "sentiment", "diagnosis", "y")
_COORDINATE = re.compile(r"^(|.*?(?:umap|t-?sne|pca|pc|proj(?:ection)?|map|coords?|coordinate|dim|"
                         r"mds|embedding|pacmap))[\s_.-]*([xyz]|[0-9]+)$", re.IGNORECASE)
_MAX_LABEL_VALUES = 20
_ROWS_PER_LABEL = 10
_FEATURES: tuple[Role, ...] = ("number", "category", "text", "image", "vector", "coordinate")


@dataclass(frozen=True)
class Roles:
    """The columns in file order, the matrices of those that hold vectors, and the report."""

    columns: tuple[Column, ...]
    matrices: tuple[np.ndarray, ...]
    issues: tuple[Issue, ...]


def find_roles(content: Content, progress: Progress) -> Roles:
    """Judge every column of the content; an `image` column stands first when there are images."""
    names, issues = _unique_names(content)
    findings: list[Finding] = []
    matrices: list[np.ndarray] = []
    for i, (field, name) in enumerate(zip(content.fields, names, strict=True)):
        progress(i / len(names), f"Looking at column {shown(name)}")
        vectors = field.vectors if isinstance(field, Block) else vectors_of(content.source, field)
        if vectors is not None:
            findings.append(_vector_finding(field, name, vectors))
            matrices.append(vectors)
        elif isinstance(field, Field):
            findings.append(study(field, name))
    findings = _with_coordinates(findings, content.pictures is not None)
    findings = _with_label(findings, content.n)
    columns = [finding.column for finding in findings]
    if content.pictures is not None:
        columns.insert(0, Column(_free("image", names), "image", "image", "images",
                                 distinct=content.pictures.distinct, why="The pictures."))
    issues += [issue for finding in findings for issue in finding.issues]
    issues += _column_issues(columns, content.n)
    return Roles(tuple(columns), tuple(matrices), tuple(issues))


def _vector_finding(field: Field | Block, name: str, vectors: np.ndarray) -> Finding:
    finite = np.isfinite(vectors).all(axis=1) if vectors.dtype.kind == "f" \
        else np.ones(len(vectors), dtype=bool)
    absent = 0 if isinstance(field, Block) else field.values.null_count
    column = Column(name, field.original, "vector", "matrix" if isinstance(field, Block)
                    else "table", missing=absent, dimensions=vectors.shape[1],
                    why=f"{vectors.shape[1]} numbers in every row.")
    bad = np.flatnonzero(~finite)
    if not len(bad):
        return Finding(column)
    places = bad + 1 if field.places is None else field.places[bad]
    return Finding(column, (Issue(
        "warning", "NOT_FINITE", f"{name}: {number_of(len(bad), 'row')} hold infinite numbers, NaN "
                                 f"or nothing, the first on row {places[0]}.", len(bad),
        first_places(places)),))


def _unique_names(content: Content) -> tuple[list[str], list[Issue]]:
    names: list[str] = []
    doubled: list[str] = []
    taken = set(content.names)
    used: set[str] = set()
    for i, original in enumerate(content.names):
        wanted = original if original.strip() else f"column_{i + 1}"
        name = wanted if wanted not in used else _free(wanted, used | taken)
        if name != wanted:
            doubled.append(original)
        used.add(name)
        names.append(name)
    if not doubled:
        return names, []
    return names, [Issue("warning", "DUPLICATE_COLUMNS",
                         f"{number_of(len(doubled), 'repeated column name')} got a number "
                         "behind it.", len(doubled), entries=tuple(doubled[:MAX_PLACES]))]


def _free(name: str, taken: Collection[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free


def _with_coordinates(findings: list[Finding], pictures: bool) -> list[Finding]:
    """Number columns named x and y (and z), umap_1 and umap_2, ... become coordinates, where
    something else is left to be encoded."""
    groups: dict[str, dict[str, int]] = {}
    for i, finding in enumerate(findings):
        match = _COORDINATE.match(finding.column.original.strip())
        if match and finding.column.role == "number":
            groups.setdefault(match[1].lower(), {})[match[2].lower()] = i
    result = list(findings)
    for members in groups.values():
        if "".join(sorted(members)) not in ("xy", "xyz", "01", "12", "012", "123"):
            continue
        grouping = [findings[i].few and findings[i].counted for i in members.values()]
        if any(grouping) and not all(grouping):
            continue  # numbers x and a class y, as in many textbooks
        for i in members.values():
            column = replace(findings[i].column, role="coordinate",
                             why=f"Named like one of {len(members)} coordinates.")
            result[i] = replace(findings[i], column=column, few=False)
    encodable = pictures or any(finding.column.role in ("number", "text", "vector")
                                for finding in result)
    return result if encodable else findings


def _with_label(findings: list[Finding], n: int) -> list[Finding]:
    chosen = _named_label(findings)
    why = "Named like a label, with few different values."
    if chosen is None:
        chosen = _only_grouping(findings, n)
        why = "The only column with few different values."
    if chosen is None:
        return findings
    result = list(findings)
    result[chosen] = replace(findings[chosen],
                             column=replace(findings[chosen].column, role="label", why=why))
    return result


def _named_label(findings: list[Finding]) -> int | None:
    ranked = []
    for i, finding in enumerate(findings):
        name = finding.column.original.strip().lower()
        last = re.split(r"[\s_.-]", name)[-1]
        for rank, known in enumerate(_LABEL_NAMES):
            if finding.few and (name == known or (last == known and known != "y")):
                ranked.append((name != known, rank, i))
    return min(ranked)[2] if ranked else None


def _only_grouping(findings: list[Finding], n: int) -> int | None:
    few = [i for i, finding in enumerate(findings) if finding.few]
    words = [i for i in few if findings[i].column.role == "category"]
    if len(few) == 1 and words:
        return few[0]
    if len(few) != 1 or not findings[few[0]].counted:
        return None
    column = findings[few[0]].column
    distinct = column.distinct or 0
    alone = few[0] in (0, len(findings) - 1) or any(
        finding.column.role in ("text", "vector") for finding in findings)
    enough = n >= _ROWS_PER_LABEL * distinct
    return few[0] if distinct <= _MAX_LABEL_VALUES and alone and enough else None


def _column_issues(columns: Sequence[Column], n: int) -> Iterator[Issue]:
    empty = [column.name for column in columns if column.distinct == 0 and column.missing == n]
    constant = [column.name for column in columns if column.distinct == 1 and not column.missing
                and column.role == "ignore"]
    if empty:
        yield Issue("note", "EMPTY_COLUMNS",
                    f"{number_of(len(empty), 'column')} without any value: not used.",
                    len(empty),
                    entries=tuple(empty[:MAX_PLACES]))
    if constant:
        yield Issue("note", "CONSTANT_COLUMNS", f"{number_of(len(constant), 'column')} have one "
                                                "value only and are not used.", len(constant),
                    entries=tuple(constant[:MAX_PLACES]))
    if not any(column.role in _FEATURES for column in columns):
        yield Issue("warning", "NO_FEATURES", "No column can be used as a feature yet: change a "
                                              "role.", len(columns),
                    entries=tuple(f"{column.name}: {column.why}"
                                  for column in columns[:MAX_PLACES]))

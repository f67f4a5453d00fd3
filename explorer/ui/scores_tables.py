"""The tables of the bench: every index with all that makes it true, and every cluster."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.edit.assign import Assign
from explorer.escape import esc_md, shown
from explorer.judge.fit import Fit
from explorer.judging import ON_PICTURE, made_by
from explorer.row_sets import pack_rows
from explorer.run import Run, name_of
from explorer.ui import edits, state
from explorer.ui.edit_history import show_steps
from explorer.ui.kept import Kept
from explorer.ui.rows_view import counted
from explorer.ui.scores_data import Asked, Bench, cluster_means
from explorer.ui.scores_picks import choose
from explorer.values import NOISE, Score

_lines: Kept[list[dict[str, Any]]] = Kept(64)
_MARKS = {"fits": "✓ fits", "with care": "△ with care", "does not fit": "✕ does not fit"}


def show_indices(bench: Bench) -> None:
    """Every index in one table; what is not computed or not defined says so."""
    clustering = bench.run.clustering
    assert clustering is not None
    made = made_by(bench.run.plan, clustering.metric)
    records = []
    for asked in bench.asked:
        records += _records(asked, asked.judge.fits(made))
        if asked.judge.key == "silhouette" and bench.picture is not None:
            records += _records(bench.picture, ON_PICTURE, " on the picture")
    if "bic" in clustering.extras:
        records.append(_record(Score(
            "BIC of the mixture", float(clustering.extras["bic"][0]), bench.run.space,
            clustering.metric, len(clustering.labels), len(clustering.labels), "no noise rows",
            getattr(bench.run.recipe.clustering, "seed", None), better="lower"),
            Fit("fits", "What the fitted clouds themselves say. Compare it within this method, "
                        "for the same rows and columns only.")))
    heads = ["index", "value", "better", "does it fit?", "why", "space", "distance", "rows",
             "noise", "seed"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += ["| " + " | ".join(_cell(record[head]) for head in heads) + " |"
              for record in records]
    st.markdown("\n".join(lines))
    if made.edited:
        st.caption(":material/edit: These clusters were edited by hand. Leaving a weak cluster out "
                   "raises every mean: say how many rows were dropped.")
    for note in dict.fromkeys(note for asked in bench.asked if asked.found is not None
                              for note in asked.found.notes):
        st.caption(f":material/info: {esc_md(note)}")


def show_clusters(bench: Bench, names: dict[int, str]) -> None:
    """A line per cluster, the weakest first, and what can be done with one."""
    run = bench.run
    assert run.clustering is not None
    show_steps(run, names)
    records = cluster_lines(bench, names)
    if not records:
        return
    clusters = [record["label"] for record in records]
    key = f"scores_clusters.{run.plan.clustering}"

    def pick() -> None:
        event: Any = st.session_state.get(key)
        rows = event["selection"]["rows"] if event else []
        if rows:
            st.session_state["scores_cluster"] = clusters[rows[0]]

    column = st.column_config
    st.dataframe([{name: value for name, value in record.items() if name != "label"}
                  for record in records], key=key, hide_index=True, on_select=pick,
                 selection_mode="single-row", height="content" if len(records) < 10 else 380,
                 column_config={
        "mean silhouette": column.NumberColumn("mean silhouette", format="%.3f"),
        "on the picture": column.NumberColumn(
            "on the picture", format="%.3f", help="The mean of the same rows on the picture."),
        "below 0": column.NumberColumn("below 0", format="percent", help="Share of its rows that "
                                       "are nearer to another cluster."),
        "best rival": column.TextColumn("best rival", help="The cluster that is second best for "
                                        "most of its rows."),
        "rival share": column.NumberColumn("rival share", format="percent",
                                        help="The share of its rows for which it is."),
        "DBCV": column.NumberColumn("DBCV", format="%.3f", help="Emptier around than inside: from "
                                    "-1 to 1. Made for density clusterings."),
        "inertia": column.NumberColumn("inertia", format="localized")})
    _offer_actions(bench, names, clusters)


def cluster_lines(bench: Bench, names: dict[int, str]) -> list[dict[str, Any]]:
    """One plain record per cluster, the lowest mean silhouette first."""
    made_of = [bench.silhouette, bench.of("dbcv"), bench.of("inertia"),
               *([bench.picture] if bench.picture else [])]
    key = (tuple((one.step.key, one.found is None) for one in made_of),
           tuple(sorted(names.items())))
    return _lines.get(key, lambda: _make_lines(bench, names))


def _make_lines(bench: Bench, names: dict[int, str]) -> list[dict[str, Any]]:
    run = bench.run
    assert run.clustering is not None
    labels = np.asarray(run.clustering.labels)
    means, shown_means = cluster_means(bench, bench.values), cluster_means(bench, bench.on_picture)
    more = {title: bench.of(key).found for key, title in (("dbcv", "DBCV"),
                                                          ("inertia", "inertia"))}
    records = []
    for cluster, size in run.clustering.sizes.items():
        inside = labels == cluster
        own = bench.values[inside]
        known = own[np.isfinite(own)]
        rivals, counts = np.unique(bench.second[inside & np.isfinite(bench.values)],
                                   return_counts=True)
        best = int(np.argmax(counts)) if len(counts) else -1
        record: dict[str, Any] = {
            "label": cluster, "cluster": shown(name_of(cluster, names)), "rows": size,
            "mean silhouette": _plain(means[cluster]),
            "below 0": float((known < 0).mean()) if len(known) else None,
            "best rival": shown(name_of(int(rivals[best]), names)) if best >= 0 and
            rivals[best] >= 0 else "",
            "rival share": float(counts[best] / counts.sum()) if best >= 0 else None}
        if bench.picture is not None:
            record["on the picture"] = _plain(shown_means[cluster])
        for title, found in more.items():
            if found is not None:
                per_cluster = found.per_cluster[title.lower()]
                record[title] = _plain(float(per_cluster[cluster])
                                       if cluster < len(per_cluster) else float("nan"))
        records.append(record)
    return sorted(records, key=lambda record: np.inf if record["mean silhouette"] is None
                  else record["mean silhouette"])


def _offer_actions(bench: Bench, names: dict[int, str], clusters: list[int]) -> None:
    run = bench.run
    assert run.clustering is not None
    if st.session_state.get("scores_cluster") not in clusters:
        st.session_state["scores_cluster"] = clusters[0]
    left, first, second, third = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    cluster = left.selectbox("Cluster", clusters, key="scores_cluster",
                             format_func=lambda label: shown(name_of(label, names)))
    name = name_of(cluster, names)
    inside = np.asarray(run.clustering.labels) == cluster
    rows, negative = run.rows[inside], run.rows[inside & (bench.values < 0)]
    first.button(f"Select {counted(len(rows))}", icon=":material/select_all:", width="stretch",
                 key="scores_rows", on_click=choose, args=(rows, f"All rows of {name}"))
    second.button(f"Select {len(negative):,} negative", icon=":material/rule:", width="stretch",
                  key="scores_negative", disabled=not len(negative), on_click=choose,
                  args=(negative, f"Rows of {name} with a negative silhouette"))
    found = edits.worked()
    third.button("Drop it to noise", icon=":material/delete_sweep:", width="stretch",
                 key="scores_drop", disabled=bool(found.waiting), on_click=drop,
                 args=(run, cluster, name, found.trail.last),
                 help="Its rows become noise and take no part in the scores any more. One step "
                      "of your edits: it can be undone. A cluster left out makes every mean "
                      "look better, so say how many rows were dropped.")


def drop(run: Run, cluster: int, name: str, after: int) -> None:
    """Make the rows of a cluster noise, as an edit; for callbacks."""
    assert run.clustering is not None
    rows = run.rows[np.asarray(run.clustering.labels) == cluster]
    state.select(rows, "scores")
    edits.apply(Assign(rows=pack_rows(rows, run.dataset.n), total=run.dataset.n, to=NOISE), after,
                f"drop of {name} ({counted(len(rows))}) to noise")


def _records(asked: Asked, fit: Fit, where: str = "") -> list[dict[str, Any]]:
    if asked.found is None:
        return [{"index": asked.judge.title + where, "value": "not computed", "better": "",
                 "does it fit?": _MARKS[fit.verdict], "why": fit.why, "space": "", "distance": "",
                 "rows": "", "noise": "", "seed": ""}]
    return [_record(score, fit, where) for score in asked.found.scores]


def _record(score: Score, fit: Fit, where: str = "") -> dict[str, Any]:
    value = "not defined" if score.value is None else _number(score.value)
    if score.interval:
        value += f" ({score.interval})"
    return {"index": score.name + where, "value": value,
            "better": "lower" if score.better == "lower" else "higher",
            "does it fit?": _MARKS[fit.verdict] if score.value is not None else "–",
            "why": shown(score.why or fit.why), "space": shown(score.space),
            "distance": score.metric, "rows": f"{score.sample:,} of {score.total:,}",
            "noise": score.noise, "seed": "" if score.seed is None else str(score.seed)}


def _cell(text: str) -> str:
    """A cell of a Markdown table."""
    return f":small[{esc_md(text)}]" if text else ""


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"

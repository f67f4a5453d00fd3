"""What the map keeps of its embedding: the story in words, the numbers, the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.neighbor_curves import Curve, draw_neighbor_curves
from explorer.plot.shepard import draw_shepard
from explorer.run import Run
from explorer.study.map_trust import MapTrust
from explorer.study.step import study_key
from explorer.ui.kept import Kept
from explorer.ui.study_view import as_set, ask, show_said
from explorer.ui.trust_rows import offer_worst, show_by_cluster
from explorer.values import Finding, Score

CURVES: Mapping[str, tuple[str, str]] = {
    "Neighbours kept": ("overlap", "share of neighbours kept, Q_NX(k)"),
    "Above chance": ("gained", "neighbours kept above chance, R_NX(k)"),
    "Trustworthiness": ("trust_curve", "trustworthiness"),
    "Continuity": ("continuity_curve", "continuity"),
}
"""Curves over k that a finding has: title -> name in its extras, words on the axis."""
TILES = ("Neighbours kept", "Trustworthiness", "Continuity", "Distance correlation (Spearman)",
         "Stress at the best scale")
MEANT = {
    "Neighbours kept": "Local. The share of a row's k nearest rows in the embedding that are also "
                       "among its k nearest on the map, Q_NX(k). The rest are lost, and as many "
                       "false ones stand in their place.",
    "Trustworthiness": "Local. 1: what lies side by side on the map is near in the embedding. "
                       "Every false neighbour counts by how far down the embedding's list it "
                       "stands (Venna & Kaski 2001).",
    "Continuity": "Local. 1: what is near in the embedding lies side by side on the map. Every "
                  "lost neighbour counts by how far down the map's list it landed.",
    "Distance correlation (Spearman)": "Global. Whether far apart on the map means far apart in "
                                       "the embedding: the rank correlation over all pairs of "
                                       "rows; 0 none, 1 the same order.",
    "Stress at the best scale": "Global, lower is better. What is left of the distances' squares "
                                "after the map is scaled to fit them best: sqrt(sum (D - s d)^2 / "
                                "sum D^2), 0 is exact.",
}
_MIDDLING, _GOOD = 0.5, 0.75
_figures: Kept[Any] = Kept(64)


def show_trust_of_map(current: Run, names: dict[int, str]) -> MapTrust | None:
    """The study of the run's own map. Gives the study as it is set, computed or not; None where
    its settings are refused."""
    found = ask(MapTrust, current)
    if found is None:
        return as_set(MapTrust)
    study, finding = found
    _tell(current, study, finding)
    _show_tiles(finding)
    _show_labels(finding)
    show_said(finding)
    if "shown" in finding.extras:
        _show_figures(current, study, finding)
        with st.expander("The rows the map treats worst", expanded=True):
            offer_worst(current, finding)
        with st.expander("Cluster by cluster"):
            show_by_cluster(current, finding, names)
    return study


def scores_of(finding: Finding) -> dict[str, Score]:
    """The finding's scores by name."""
    return {score.name: score for score in finding.scores}


def _tell(current: Run, study: MapTrust, finding: Finding) -> None:
    """The story in words; it says what was measured on."""
    scores = scores_of(finding)
    kept, far = scores["Neighbours kept"], scores["Distance correlation (Spearman)"]
    if kept.value is None:
        st.info(f"{esc_md(kept.why)}", icon=":material/info:")
        return
    assert current.embedding is not None
    n, k = kept.total, study.neighbors
    metric = study.measures_by(current.recipe.projecting.distance)
    basis = (f"k={k}, {metric} distance in {current.embedding.title}, "
             f"{'all ' if kept.sample == n else f'{kept.sample:,} of '}{n:,} rows")
    chance = k / (n - 1)
    st.markdown(f"On this map (**{esc_md(current.recipe.projecting.title)}**) **{kept.value:.0%}** "
                f"of each row's {k:d} nearest rows are kept ({esc_md(basis)}); a map drawn by "
                f"chance would keep {chance:.1%}. {_read_local(scores)}  \n{_read_global(far)}")


def _read_local(scores: dict[str, Score]) -> str:
    trust, continuity = scores["Trustworthiness"].value, scores["Continuity"].value
    if trust is None or continuity is None:
        return ""
    if trust + 0.02 < continuity:
        return ("More goes wrong by strangers drawn side by side than by neighbours torn apart: "
                "look into a dense spot before believing it.")
    if continuity + 0.02 < trust:
        return ("More goes wrong by neighbours torn apart than by strangers drawn side by side: "
                "what looks like two groups may be one.")
    return "Strangers drawn side by side and neighbours torn apart do about equal harm."


def _read_global(score: Score) -> str:
    if score.value is None:
        return esc_md(score.why)
    said = ("can be read, roughly" if score.value >= _GOOD else
            "give a vague idea at best" if score.value >= _MIDDLING else "mean little")
    return (f"Distances between far groups **{said}**: rank correlation {score.value:.2f} over "
            f"all pairs of {score.sample:,} {'' if score.sample == score.total else 'sampled '}"
            "rows.")


def _show_tiles(finding: Finding) -> None:
    scores = scores_of(finding)
    for column, name in zip(st.columns(len(TILES), gap="small"), TILES, strict=True):
        score = scores[name]
        with column:
            st.metric(esc_md(_short(name)), in_words(score), help=MEANT[name], border=True)
            if score.low is not None and score.high is not None:
                st.caption(f"95 %: {score.low:.3f} to {score.high:.3f}, {score.sample:,} of "
                           f"{score.total:,} rows")
            elif score.why:
                st.caption(esc_md(score.why))


def in_words(score: Score) -> str:
    """'62.1 %', '0.947', 'not defined'."""
    if score.value is None:
        return "not defined"
    return f"{score.value:.1%}" if score.name == "Neighbours kept" else f"{score.value:.3f}"


def _short(name: str) -> str:
    return {"Distance correlation (Spearman)": "Distance correlation",
            "Stress at the best scale": "Stress (lower is better)"}.get(name, name)


def _show_labels(finding: Finding) -> None:
    """Neighbourhood hits, in a line each, and the measures that only experts ask for."""
    scores = scores_of(finding)
    hits = [name for name in scores if name.endswith(" on the map")]
    for name in hits:
        there = scores[name.replace(" on the map", " in the embedding")]
        here = scores[name]
        if here.value is None or there.value is None:
            st.caption(f"{esc_md(name)}: {esc_md(here.why or there.why).lower()}")
            continue
        label = name.removeprefix("Neighbourhood hit of ").removesuffix(" on the map")
        st.markdown(f"Neighbours with the row's own **{esc_md(label)}** (neighbourhood hit): "
                    f"**{here.value:.1%}** on the map, {there.value:.1%} in the embedding, over "
                    f"{here.sample:,} rows with a {esc_md(label)}.")
    linear, drawn = scores["Distance correlation (Pearson)"], scores["Stress as drawn"]
    st.caption(f"Also: linear (Pearson) distance correlation {in_words(linear)}; stress as drawn, "
               f"without scaling the map, {in_words(drawn)} (it depends on the map's unit). Equal "
               "distances stand in the order of the rows, in both spaces.")


def _show_figures(current: Run, study: MapTrust, finding: Finding) -> None:
    left, right = st.columns(2, gap="medium")
    key = study_key(current.plan, study)
    with left:
        st.markdown("**Neighbourhoods of every size**")
        what = choose_curve("trust.curve")
        title = current.recipe.projecting.title
        figure = _figures.get((key, what, title), lambda: draw_neighbor_curves(
            [curve_of(title, finding, what)], what=CURVES[what][1], asked=study.neighbors,
            chance=chance_of(what, finding)))
        st.plotly_chart(figure, key="trust.curves", config={"displaylogo": False})
    with right:
        st.markdown("**Distances on the map over distances in the embedding** (Shepard diagram)")
        metric = study.measures_by(current.recipe.projecting.distance)
        extras = finding.extras
        if "shepard" not in extras:
            return
        figure = _figures.get((key, "shepard"), lambda: draw_shepard(
            extras["shepard"], extras["shepard_true"], extras["shepard_drawn"], metric=metric))
        st.plotly_chart(figure, key="trust.shepard", config={"displaylogo": False})
        st.caption("Every pair of rows by its two distances; the line is the median. A map that "
                   "keeps distances shows a narrow rising band; a flat stretch to the right says "
                   "that far and very far look alike.")


def choose_curve(key: str) -> str:
    """Which curve over k is drawn; the choice is a key of CURVES."""
    return str(st.segmented_control("Curve", list(CURVES), key=key, required=True,
                                    default=next(iter(CURVES)), label_visibility="collapsed",
                                    format_func=lambda title: esc_md(title)))


def curve_of(name: str, finding: Finding, what: str) -> Curve:
    """One of CURVES of a map."""
    return Curve(name, np.asarray(finding.extras["counts"]),
                 np.asarray(finding.extras[CURVES[what][0]]))


def chance_of(what: str, finding: Finding) -> Curve | None:
    """What a map without any sense keeps; None where it would be no line to compare with."""
    if what != "Neighbours kept":
        return None
    counts = np.asarray(finding.extras["counts"])
    return Curve("by chance", counts, counts / max(1, finding.scores[0].total - 1))

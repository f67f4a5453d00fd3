"""What is worth looking at first, when nothing is selected: one click each."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.measures import made_of, measures
from explorer.run import Run, name_of
from explorer.ui import state
from explorer.ui.kept import Kept
from explorer.ui.row_order import typicality
from explorer.values import NOISE

_FAR = 100
_CLUSTERS = 24
_offers: Kept[list[tuple[str, np.ndarray]]] = Kept(32)


def show_offers(current: Run, names: dict[int, str]) -> None:
    """Buttons that select: rows in doubt, the least typical, those a study answers yes for, noise,
    each cluster."""
    st.caption("Nothing selected. Click a point or a silhouette bar to see its row; draw around "
               "many with the lasso or the box above the map. Or begin with:")
    clustering = current.clustering
    if clustering is None:
        return
    key = (current.plan.clustering, tuple(current.plan.judgements.items()), made_of(current))
    with st.container(horizontal=True, gap="small"):
        for title, rows in _offers.get(key, lambda: _find(current)):
            st.button(esc_md(title), key=f"offer.{title}", on_click=state.select,
                      args=(rows, "offer"))
    with st.container(horizontal=True, gap="small"):
        by_size = sorted(clustering.sizes.items(), key=lambda item: -item[1])
        for label, size in by_size[:_CLUSTERS]:
            st.button(f"{esc_md(name_of(label, names))} · {size:,}", key=f"offer.cluster.{label}",
                      on_click=_select_cluster, args=(current, label))
    if len(by_size) > _CLUSTERS:
        st.caption(f"The {_CLUSTERS} largest of {len(by_size):,} clusters; the Clusters page "
                   "lists them all.")


def _find(current: Run) -> list[tuple[str, np.ndarray]]:
    """What there is to offer, with its rows."""
    assert current.clustering is not None
    found = []
    labels = np.asarray(current.clustering.labels)
    judged = current.silhouette
    if judged is not None and "silhouette" in judged.per_row:
        negative = current.rows[np.asarray(judged.per_row["silhouette"]) < 0]
        if len(negative):
            title = ("The negative silhouette" if len(negative) == 1
                     else f"All {len(negative):,} negative silhouettes")
            sampled = " of the sample" if judged.scores[0].interval else ""
            found.append((title + sampled, negative))
    if current.description is not None:
        far = typicality(current)
        clustered = np.flatnonzero(np.isfinite(far))
        count = min(_FAR, len(clustered) // 10)
        if count > 1:
            last = clustered[np.argsort(-far[clustered], kind="stable")[:count]]
            found.append((f"The {count} least typical rows", np.sort(current.rows[last])))
    for measure in measures(current).values():
        if measure.kind == "yes":
            rows = current.rows[measure.codes() == 1]
            if len(rows):
                found.append((f"{measure.title} · {len(rows):,}", rows))
    noise = current.rows[labels == NOISE]
    if len(noise):
        found.append((f"Noise · {len(noise):,}", noise))
    found.append((f"All {len(current.rows):,} rows", current.rows))
    return found


def _select_cluster(current: Run, label: int) -> None:
    assert current.clustering is not None
    state.select(current.rows[np.asarray(current.clustering.labels) == label], "offer")

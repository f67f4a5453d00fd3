"""What `map_speed` opens: the map's own component, or st.plotly_chart, over the same points.

A stub stands for the run: importing, encoding and clustering a million rows is not what is timed.
"""

from types import SimpleNamespace

import numpy as np
import streamlit as st

CLUSTERS = 12


def points_of(n):
    """n points in clusters (float32) and their labels (int32), half of them left of 0."""
    rng = np.random.default_rng(n)
    labels = np.sort(rng.integers(0, CLUSTERS, n)).astype(np.int32)
    middles = np.column_stack([np.linspace(-1, 1, CLUSTERS), rng.uniform(-.7, .7, CLUSTERS)])
    order = rng.permutation(n)
    points = (middles[labels] + rng.normal(0, .12, (n, 2))).astype(np.float32)
    return points[order], labels[order]


class Numbered:
    """Names of rows, made when one is asked for."""

    def __getitem__(self, row):
        return str(row + 1)


@st.cache_resource
def run_of(n):
    """What show_points asks of a run."""
    from explorer.values import Clustering, Projection

    points, labels = points_of(n)
    rows = np.arange(n, dtype=np.int64)
    plan = SimpleNamespace(embedding=f"e{n}", projection=f"p{n}", clustering=f"c{n}",
                           judgements={})
    dataset = SimpleNamespace(id=f"d{n}", roles={"text": "text"}, n=n, has_images=False,
                              row_ids=Numbered(), text=lambda column, row: text_of(row),
                              with_role=lambda *roles: [SimpleNamespace(name="text")]
                              if "text" in roles else [])
    return SimpleNamespace(
        plan=plan, dataset=dataset, rows=rows, positions=lambda wanted: np.asarray(wanted),
        projection=Projection(points, ("x", "y")), silhouette=None,
        clustering=Clustering(labels, "euclidean"),
        recipe=SimpleNamespace(projecting=SimpleNamespace(reads="vectors")))


def text_of(row):
    return f"Row {row}: what was written in this row of the table"


@st.cache_resource
def texts_of(n):
    return [text_of(row) for row in range(n)]


def show_ours(n, turn):
    from explorer.colorings import Coloring
    from explorer.plot.palette import cluster_colors
    from explorer.ui.point_view import show_points

    run = run_of(n)
    labels = (run.clustering.labels + turn) % CLUSTERS
    coloring = Coloring("Cluster", "cluster", ("speed", n, turn), lambda: cluster_colors(labels))
    with st.container(height=560, border=False):
        show_points(run, coloring, {}, key="map")


@st.cache_resource(max_entries=2)
def figure_of(n, turn):
    import plotly.graph_objects as go

    from explorer.plot.palette import cluster_color

    run = run_of(n)
    colors = np.array([cluster_color(i) for i in range(CLUSTERS)])
    marks = (run.clustering.labels + turn) % CLUSTERS
    scale = [[i / (CLUSTERS - 1), color] for i, color in enumerate(colors)]
    points = run.projection.points
    return go.Figure(go.Scattergl(
        x=points[:, 0], y=points[:, 1], mode="markers", text=texts_of(n),
        customdata=np.arange(n, dtype=np.int32), hoverinfo="text",
        marker={"size": 3, "color": marks.astype(np.int8), "colorscale": scale}))


def show_page():
    from explorer.ui import state

    st.set_page_config(layout="wide")
    what, n = st.query_params.get("what", "ours"), int(st.query_params.get("n", 1000))
    run_of(n)
    if what == "plotly":
        figure_of(n, 0)
    draw, recolor, nothing, told = st.columns(4)
    if draw.button("Draw"):
        st.session_state["drawn"] = True
    if recolor.button("Recolour"):
        st.session_state["turn"] = st.session_state.get("turn", 0) + 1
    if nothing.button("Nothing"):
        st.session_state["idle"] = st.session_state.get("idle", 0) + 1
    turn = st.session_state.get("turn", 0)
    told.write(f"turn {turn}, idle {st.session_state.get('idle', 0)}, "
               f"chosen {len(state.selection().rows)}")
    if st.session_state.get("drawn") and what == "ours":
        show_ours(n, turn)
    elif st.session_state.get("drawn") and what == "plotly":
        st.plotly_chart(figure_of(n, turn), key="plotly", on_select="rerun", height=560)


if __name__ == "__main__":
    show_page()
else:
    from explorer.ui.served import ROUTES

    app = st.App(__file__, routes=[*ROUTES])

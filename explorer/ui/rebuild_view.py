"""The page 'Reconstruction': what the network keeps of all rows, and of any one."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.encode.reading import ReadingEncoder
from explorer.escape import esc_md
from explorer.plot.histogram import draw_histogram
from explorer.run import Run
from explorer.study.reconstruction import Reconstruction
from explorer.ui import state
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.rebuild_row import show_rebuilt_row
from explorer.ui.rebuild_walk import choose_row
from explorer.ui.study_view import ask, show_said, show_scores
from explorer.ui.trained import TrainedRun
from explorer.values import Finding, Score

COLORING = f"study:{Reconstruction.key}:error"
_HEADS = {
    "Error of rows held back": "Mean squared difference between a row and what the network makes "
                               "of it, over the rows it was never trained on.",
    "Error": "Mean squared difference between a row and what the network makes of it.",
    "Share of the variance rebuilt": "1: everything; 0: no better than showing the mean row for "
                                     "every row; below 0: worse than that.",
    "PSNR": "Peak signal-to-noise ratio, mean of the images: 20 dB is rough, above 30 hard to "
            "tell apart.",
    "SSIM": "Structural similarity (Wang et al. 2004), mean of the images: 1 is the same.",
    "Share of rows rebuilt better than by PCA": "PCA with as many numbers is the best a network "
                                                "without bends could do on the rows it was "
                                                "fitted on.",
    "Numbers of a row for each latent number": "How many numbers of a row each number of its "
                                               "latent vector stands for.",
    "PSNR with noise": "Of the rows with noise, as they are given to the network.",
    "PSNR denoised": "Of what the network makes of the noisy rows: it should be higher than "
                     "before.",
    "Error with noise": "Of the rows with noise, as they are given to the network.",
    "Error denoised": "Of what the network makes of the noisy rows: it should be lower than "
                      "before.",
    "Negative ELBO": "How improbable the network finds a row, in nats.",
}
"""The numbers shown large, by their names without whose they are."""
_NOISE = ("Error with noise", "Error denoised")
_WHOSE = " of rows held back"


def show_rebuild(trained: TrainedRun, names: dict[int, str]) -> None:
    """The study, its numbers, and one row after the other."""
    st.caption(f":material/model_training: {said_network(trained)}.")
    got = ask(Reconstruction, trained.run)
    if got is None:
        return
    found = got[1]
    _show_numbers(found)
    show_said(found)
    walk = choose_row(trained.run, found)
    show_rebuilt_row(trained, found, walk.place, names)
    _show_all_rows(trained.run, found, walk.place)
    with st.expander("All numbers, and what they were measured on"):
        show_scores(found)


def said_network(trained: TrainedRun) -> str:
    """The network in a line, safe for Markdown: what it is, on what it was trained, its seed."""
    model, n = trained.model, len(trained.embedding.rows)
    held = int(np.isin(trained.embedding.rows, model.held).sum())
    seed = trained.method.values().get("seed")
    numbers = trained.embedding.vectors.shape[1]
    parts = [f"{trained.method.title} of {model.title}", f"{numbers:,} latent numbers",
             f"epoch {model.best_epoch:,} of {model.epochs:,}", f"seed {seed}"]
    encoder = trained.run.recipe.encoding
    if isinstance(encoder, ReadingEncoder) and encoder.trains:
        parts.append(f"trained on {n - held:,} of {n:,} rows, {held:,} held back")
    return esc_md("; ".join(parts))


def _show_numbers(found: Finding) -> None:
    heads = [(score, _plain(score.name)) for score in found.scores]
    heads = [(score, name) for score, name in heads if name in _HEADS]
    if any(name == "PSNR" for _, name in heads):  # says the same of images
        heads = [(score, name) for score, name in heads if name not in _NOISE]
    columns = st.columns(max(1, len(heads)), gap="small")
    for column, (score, name) in zip(columns, heads, strict=False):
        basis = f"{score.space}; {score.metric}; {score.sample:,} of {score.total:,} rows"
        column.metric(esc_md(_short(name)), esc_md(_said(score)),
                      help=f"{esc_md(_HEADS[name])} Measured on: {esc_md(basis)}.")
        whose = "rows held back" if "held back" in score.name else "rows"
        column.caption(f"{score.sample:,} {esc_md(whose)}")


def _plain(name: str) -> str:
    return name if name in _HEADS else name.replace(_WHOSE, "", 1).replace(
        "Share rebuilt", "Share of rows rebuilt")


def _short(name: str) -> str:
    return {"Error of rows held back": "Error", "Share of the variance rebuilt": "Variance rebuilt",
            "Share of rows rebuilt better than by PCA": "Better than PCA",
            "Numbers of a row for each latent number": "Compression"}.get(name, name)


def _said(score: Score) -> str:
    if score.value is None:
        return "not defined"
    if score.name.startswith("Share"):
        return f"{score.value:.0%}"
    if score.name.startswith("Numbers"):
        return f"{score.value:.3g} : 1"
    if score.name.startswith("PSNR"):
        return f"{score.value:.1f} dB"
    if score.name.startswith("Negative"):
        return f"{score.value:.1f} nats"
    return f"{score.value:.3g}"


def _show_all_rows(current: Run, found: Finding, place: int) -> None:
    errors = np.asarray(found.per_row["error"], dtype=np.float64)
    left, right = st.columns([7, 5], gap="medium", vertical_alignment="center")
    with left:
        st.markdown("**This row among all**")
        st.plotly_chart(draw_histogram(errors, what="reconstruction error", line=errors[place],
                                       line_name="as bad or worse", height=190),
                        key="rebuild.figure")
    with right:
        if st.button("Colour the map by the error", icon=":material/palette:", key="rebuild.color",
                     width="stretch"):
            lead_to_map(coloring=COLORING)
        if st.button("Find the anomalies", icon=":material/crisis_alert:", key="rebuild.anomalies",
                     width="stretch", help="Rows the network cannot rebuild, by a threshold."):
            state.go_to("pages/lab/anomalies.py")
        st.caption("The error, its percentile and the other numbers of each row are colours of "
                   "the map, orders of gallery and table, filters, and columns of exports.")

"""One row on the page 'Reconstruction': what it was, what became of it, and its code."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.escape import esc_md, shown
from explorer.plot.code_places import MOST, draw_code
from explorer.plot.error_map import draw_error_map
from explorer.plot.one_picture import draw_picture
from explorer.run import Run
from explorer.study.reconstruction import Reconstruction
from explorer.ui import state
from explorer.ui.lead_to_map import lead_to_map
from explorer.ui.pictures import data_url
from explorer.ui.rebuild_numbers import show_numbers
from explorer.ui.rows_view import show_row
from explorer.ui.trained import TrainedRun
from explorer.values import Finding

_SIDE = 200


def show_rebuilt_row(trained: TrainedRun, found: Finding, place: int,
                     names: dict[int, str]) -> None:
    """The row at that place of the run, without torch: what the study kept."""
    current = trained.run
    row = int(current.rows[place])
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container():
                st.markdown(_head(current, found, place, row))
            if st.button("Select on the map", icon=":material/select_all:", key="rebuild.select"):
                lead_to_map(np.array([row]), "rebuild")
            if st.button("In the latent space", icon=":material/bubble_chart:",
                         key="rebuild.latent"):
                state.select(np.array([row]), "rebuild")
                state.go_to("pages/lab/latent.py")
        kept = int(np.searchsorted(found.extras["kept"], place))
        there = kept < len(found.extras["kept"]) and found.extras["kept"][kept] == place
        if not there:
            st.info("What the network made of this row is not kept: only of "
                    f"{len(found.extras['kept']):,} rows it is, the worst and the best among "
                    "them. Its numbers are measured like all others.", icon=":material/info:")
        elif trained.model.pictures:
            _show_pictures(trained, found, place, kept)
        else:
            show_numbers(trained, found, place, kept)
        _show_code(trained, found, place)
    with st.expander("The row whole"):
        show_row(current, row, names)


def _head(current: Run, found: Finding, place: int, row: int) -> str:
    rows = found.per_row
    n = len(rows["error"])
    worse = float(rows["percentile"][place])
    parts = [f"error **{float(rows['error'][place]):.4g}**, percentile **{worse:.4g}** among "
             f"{n:,d} rows"]
    linear = float(rows["linear"][place])
    # PCA is measured as the network sees the row: only like numbers stand side by side.
    parts.append(f"scaled error {float(rows['scaled'][place]):.4g}, PCA's {linear:.4g}"
                 if "scaled" in rows else f"PCA's error {linear:.4g}")
    for name, title, form in (("psnr", "PSNR", "{:.1f} dB"), ("ssim", "SSIM", "{:.3f}"),
                              ("bound", "negative ELBO", "{:.1f} nats")):
        if name in rows:
            value = float(rows[name][place])
            said = form.format(value) if np.isfinite(value) else "not defined"
            parts.append(f"{title} {esc_md(said)}")
    if "held" in rows:
        parts.append("**held back** from training" if rows["held"][place] else "trained on")
    return f"**Row {esc_md(current.dataset.row_ids[row])}**  \n{' · '.join(parts)}"


def _show_pictures(trained: TrainedRun, found: Finding, place: int, kept: int) -> None:
    channels, height, width = trained.model.shape
    original = np.asarray(trained.run.read.vectors[_read_place(trained, place)]  # type: ignore[union-attr]
                          ).reshape(height, width, channels).transpose(2, 0, 1)
    made = np.asarray(found.extras["rebuilt"][kept], dtype=np.float32)
    pictures = [("Original", "as the network sees it", original),
                ("Rebuilt", f"from {trained.embedding.vectors.shape[1]:,d} numbers", made)]
    if "noisy" in found.extras:
        seed = f"seed {_seed(trained):d}"
        noisy, denoised = (np.asarray(found.extras[name][kept], dtype=np.float32)
                           for name in ("noisy", "denoised"))
        pictures += [("With noise", f"{_decibels(found, 'noisy', place)}, {seed}", noisy),
                     ("Denoised", _decibels(found, "denoised", place), denoised)]
    columns = st.columns(len(pictures) + 1, gap="small")
    for column, (title, about, pixels) in zip(columns, pictures, strict=False):
        with column:
            st.markdown(f"**{esc_md(title)}**  \n:small[:gray[{esc_md(about)}]]")
            st.image(data_url(draw_picture(pixels), "image/png"), width=_SIDE)
    with columns[-1]:
        _show_error_map(made - original, float(found.extras["limit"][0]))


def _show_error_map(difference: np.ndarray, limit: float) -> None:
    squared = bool(st.session_state.get("rebuild.squared"))
    mean = ", mean of the channels" if len(difference) > 1 else ""
    about = f"squared{mean}" if squared else f"rebuilt − original{mean}"
    st.markdown(f"**Error**  \n:small[:gray[{esc_md(about)}]]", help=(
        f"Blue: the network made it brighter; orange: darker. Full colour from {limit:.3g} on, "
        "the same for every row: 99.5 % of the differences of single pixels are smaller."))
    st.plotly_chart(draw_error_map(difference, limit, squared=squared, height=_SIDE),
                    key="rebuild.error_map", config={"displayModeBar": False})
    st.toggle("Squared", key="rebuild.squared", help="The error of each pixel squared, as it "
              "counts, instead of with its sign.")


def _decibels(found: Finding, name: str, place: int) -> str:
    error = float(found.per_row[name][place])
    return f"PSNR {-10 * np.log10(error):.1f} dB" if error > 0 else "PSNR not defined: no error"


def _seed(trained: TrainedRun) -> int:
    return next((made.study.seed for made in trained.run.findings
                 if isinstance(made.study, Reconstruction)), 0)


def _read_place(trained: TrainedRun, place: int) -> int:
    """The place of a row of the run among the rows read: an encoder may leave rows out."""
    return int(np.searchsorted(trained.read.rows, trained.embedding.rows[place]))


def _show_code(trained: TrainedRun, found: Finding, place: int) -> None:
    code = np.asarray(trained.embedding.vectors[place], dtype=np.float64)
    n = len(trained.embedding.rows)
    more = f" The {MOST} farthest from the middle of {len(code):,} are shown." \
        if len(code) > MOST else ""
    st.markdown(f"**Its code** :gray[the {len(code):,d} numbers it is rebuilt from, against those "
                f"of all {n:,d} rows]",
                help="The row's latent vector. Grey: the middle 90 % and the middle half of all "
                     "rows; a diamond lies outside of the 90 %. Hover for the percentile."
                     f"{esc_md(shown(more))}")
    st.plotly_chart(draw_code(code, np.asarray(found.extras["quantiles"])), key="rebuild.code",
                    config={"displayModeBar": False})

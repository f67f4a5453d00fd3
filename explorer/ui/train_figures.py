"""The curves and the reconstructions of a training, under way or over."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.plot.column_errors import MOST, column_errors, draw_column_errors
from explorer.plot.learning import draw_learning, parts_of
from explorer.plot.rebuilt import draw_rebuilt
from explorer.ui.kept import Kept
from explorer.ui.pictures import data_url
from explorer.ui.train_course import Course

_CONFIG = {"displaylogo": False, "displayModeBar": False}
_ALL, _LOG, _LATE = "all epochs", "log scale", "later epochs"
_figures: Kept[Any] = Kept(128)
_pictures: Kept[str] = Kept(24_000_000, len)


def show_curves(course: Course, place: str) -> None:
    """The loss and its parts over the epochs; `place` tells several on one page apart."""
    parts = parts_of(course.history)
    kinds = [_ALL, *([_LOG] if any(part.positive for part in parts) else []),
             *([_LATE] if course.epoch >= 10 else [])]
    left, right = st.columns([2, 3], vertical_alignment="center")
    left.markdown("**Learning curves**", help=(
        "The loss is what the training makes small, as the method defines it (its page under "
        "Methods says how), of rows brought to mean 0 and spread 1; with it the parts it is made "
        "of, where there are several. 'Rows learned from': the mean over an epoch's batches, each "
        "before its correction. 'Rows held back': after the epoch, over rows the network never "
        "learns from; when this line rises while the other falls, the network learns its rows by "
        "heart. The star is the epoch with the smallest loss on rows held back: its weights are "
        "the ones kept. A part that is phased in (the KL of a VAE) counts in full for rows held "
        "back from the start. Values below 0 are possible where the loss is a likelihood; then "
        "there is no log scale."))
    with right:
        kind = _choose("Curves", kinds, f"train_curves.{place}")
    first = 1 + course.epoch // 5 if kind == _LATE else 1
    st.plotly_chart(_figures.get(
        ("curves", course.key, kind),
        lambda: draw_learning(parts, best=course.best_epoch, log=kind == _LOG, first=first)),
        key=f"train_learning.{place}", config=_CONFIG)


def _choose(label: str, kinds: list[str], key: str) -> str:
    kept = f"{key}.kept"
    if st.session_state.get(key) not in kinds:
        chosen = st.session_state.get(kept)
        st.session_state[key] = chosen if chosen in kinds else kinds[0]
    st.session_state[kept] = st.segmented_control(label, kinds, key=key, required=True,
                                                  label_visibility="collapsed")
    return str(st.session_state[kept])


def show_course(course: Course, place: str, *, calm: Course | None = None,
                follow: bool = False) -> None:
    """Curves and, where rows are rebuilt, reconstructions beside them. `calm`: whose curves to
    draw, where not its own; `follow`: the newest epoch, until somebody looks back."""
    if not len(course.remade):
        show_curves(calm or course, place)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        show_curves(calm or course, place)
    with right:
        # Bars are drawn by Plotly too.
        show_rebuilt(course if course.pictures else calm or course, place, follow=follow)


def show_rebuilt(course: Course, place: str, *, follow: bool = False) -> None:
    """A few rows as they are and as the network rebuilt them after an epoch, which a slider
    chooses."""
    epoch = course.kept_epoch(_epoch(course, place, follow))
    made = course.made_after(epoch)
    if made is None:
        st.caption(f"The reconstructions of epoch {epoch:,} were not kept.")
        return
    shown = len(course.original)
    known = ("it never learned from these rows" if course.judged == "validation.loss"
             else "it learned from these rows, too few to hold any back")
    if course.pictures:
        # As an address that holds it: a file of its own is gone when the next epoch is over.
        st.image(_pictures.get(("rows", course.key, epoch), lambda: data_url(
            draw_rebuilt(course.original, made), "image/png")), width="stretch")
        error = float(np.square(made - course.original).mean())
        st.caption(f"Above {shown:d} images, below each as the network rebuilds it after epoch "
                   f"{epoch:,}; {known}. Mean squared error over these {shown:d}: {error:.4f} "
                   "(pixels from 0 to 1).")
        return
    errors = column_errors(course.original, made)
    st.plotly_chart(_figures.get(
        ("columns", course.key, epoch),
        lambda: draw_column_errors(errors, course.names, unit="error", spread=course.spread,
                                   height=250)),
        key=f"train_columns.{place}", config=_CONFIG)
    largest = f" The {MOST:d} largest of {len(errors):,}." if len(errors) > MOST else ""
    st.caption(f"How far each number of {shown:d} rows is from its reconstruction after epoch "
               f"{epoch:,}; {known}. Root of the mean squared error over these {shown:d} rows, in "
               f"the units the network's reader gives.{largest}")


def _epoch(course: Course, place: str, follow: bool) -> int:
    """The epoch to show. While it follows, the slider only shows where it is: set from here under
    somebody's mouse, it would jump away."""
    newest, key = course.epoch, f"train_epoch.{place}"
    if newest < 2:
        st.markdown("**Reconstructions**")
        return newest
    if not follow:
        return _choose_kept(course, key)
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown("**Reconstructions**")
    if right.toggle("Follow the newest", value=True, key=f"{key}.follow"):
        st.session_state[f"{key}.now"] = newest
        st.slider("After epoch", 1, max(2, course.epochs), key=f"{key}.now", disabled=True,
                  help="Switch 'Follow the newest' off to look back.")
        return newest
    if key not in st.session_state:
        st.session_state[key] = newest
    # To the last epoch there may be: it need not be drawn anew whenever an epoch is over.
    chosen = st.slider("After epoch", 1, max(2, course.epochs), key=key,
                       help="Epochs to come show the newest. Of a long training not every epoch is "
                            "kept: the one before is shown then.")
    return min(int(chosen), newest)


def _choose_kept(course: Course, key: str) -> int:
    """Of a training that is over: one of the epochs that were kept."""
    best = course.kept_epoch(course.best_epoch)
    if len(course.shown) < 2:
        st.markdown("**Reconstructions**")
        return best
    if st.session_state.get(key) not in course.shown:
        st.session_state[key] = best if best in course.shown else course.shown[-1]
    return int(st.select_slider(
        "Reconstructions after epoch", course.shown, key=key,
        help="It starts at the best epoch, whose weights are the ones kept, or the nearest before "
             "it: of a long training not every epoch's reconstructions are."))

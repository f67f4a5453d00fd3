"""What the axes of a linear map are made of: scree plot and loadings, on screen."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.escape import esc_md
from explorer.plot.loadings import draw_loadings, paint_loadings
from explorer.plot.scree import broken_stick, draw_scree
from explorer.run import Run
from explorer.ui.clicks import clicked
from explorer.ui.colors import colorings
from explorer.ui.kept import Kept

_AXES = "method.axes"
_ENERGY = "energy_ratio"
_figures: Kept[Any] = Kept(24)
_CONFIG = {"displaylogo": False, "displayModeBar": False}


def show_scree(current: Run, names: dict[int, str]) -> None:
    """Shares of the components, what chance would give, and a click to what they are made of."""
    extras = _extras(current)
    seen_from_zero = _ENERGY in extras
    ratios = np.asarray(extras[_ENERGY if seen_from_zero else "explained_variance_ratio"])
    n, d = _shape(current)
    chance, how = None, ""
    if "shuffled_ratio" in extras:
        chance, how = np.asarray(extras["shuffled_ratio"]), "95 % of shuffled copies"
    elif not seen_from_zero:
        chance, how = broken_stick(min(n - 1, d), len(ratios)), "broken stick"
    first, drawn = _on_map(current)
    figure = _figures.get(("scree", current.plan.projection), lambda: draw_scree(
        ratios, drawn=drawn, first=first, chance=chance, chance_name=how,
        what="sum of squares" if seen_from_zero else "explained variance"))
    st.plotly_chart(figure, key="method.scree", on_select=lambda: _open_component(current),
                    selection_mode="points", config=_CONFIG)
    st.caption(_scree_words(ratios, chance, how, first, drawn, min(n, d)))


def _scree_words(ratios: np.ndarray, chance: np.ndarray | None, how: str, first: int, drawn: int,
                 components: int) -> str:
    shown = float(ratios[first:first + drawn].sum())
    words = f"The map shows {shown:.1%} of the whole. "
    if len(ratios) < components:
        words += f"Drawn: the first {len(ratios)} of {components:,} components. "
    if chance is None:
        return words + "There is no rule for chance where zero is the origin."
    under = np.flatnonzero(ratios[:len(chance)] <= chance[:len(ratios)])
    above = int(under[0]) if len(under) else len(ratios)
    words += f"Components in a row that hold more than chance ({how}): {above}. "
    if how == "broken stick":
        words += ("The broken stick is a rule of thumb, strict for many columns; set shuffles in "
                  "the recipe (PCA, advanced) for parallel analysis on this data.")
    return words


def show_loadings(current: Run, names: dict[int, str]) -> None:
    """The largest loadings of the components chosen, at first those on the map."""
    loadings = np.asarray(_extras(current)["loadings"])
    first, drawn = _on_map(current)
    titles = _titles(current, loadings.shape[1], first)
    shape = _picture_shape(current, len(loadings))
    if shape is not None:
        _show_pictures(loadings, titles, shape)
        return
    offered = list(range(loadings.shape[1]))
    chosen = st.session_state.get(_AXES)
    if not chosen or not set(chosen) <= set(offered):
        st.session_state[_AXES] = offered[:min(drawn, 2)]
    picked = st.multiselect("Components", offered, key=_AXES, max_selections=3,
                            format_func=lambda place: titles[place])
    features = features_of(current, len(loadings))
    for place, slot in zip(picked, st.columns(max(1, len(picked))), strict=False):
        with slot:
            key = f"method.loadings.{place}"
            figure = _figures.get((key, current.plan.projection), partial(
                draw_loadings, loadings[:, place], features, title=titles[place]))
            st.plotly_chart(figure, key=key, selection_mode="points", config=_CONFIG,
                            on_select=partial(_color_by, current, names, key, features))
    click = " Click a bar to colour the map by that column." if _named(current) else (
        " The encoder's dimensions have no names: they say little by themselves.")
    more = f"the largest 15 of {len(features):,} columns" if len(features) > 15 else \
        f"all {len(features)} columns"
    st.caption(f"Each axis: {more} of {esc_md(_title(current))}, by size; blue adds, orange takes "
               f"away.{click}")


def features_of(current: Run, d: int) -> list[str]:
    """The names of the embedding's d columns."""
    features = current.embedding.features if current.embedding is not None else ()
    return list(features) if len(features) == d else [f"dimension {i + 1}" for i in range(d)]


def _show_pictures(loadings: np.ndarray, titles: list[str], shape: tuple[int, int, int]) -> None:
    """Where the columns are the pixels of a picture, each component is one too."""
    count = loadings.shape[1]
    for place, slot in zip(range(count), st.columns(max(4, count)), strict=False):
        picture = paint_loadings(loadings[:, place], shape)
        size = max(1, 160 // max(shape[:2]))
        slot.image(np.kron(picture, np.ones((size, size, 1), dtype=np.uint8)),
                   caption=esc_md(titles[place]), width="stretch")
    st.caption("Each component as a picture: rows on the positive side of an axis have more of "
               "what is blue and less of what is orange; white plays no part." if shape[2] == 1 else
               "Each component as a picture: middle grey plays no part, brighter colours add on "
               "the positive side of an axis, darker ones take away.")


def _picture_shape(current: Run, d: int) -> tuple[int, int, int] | None:
    shape = current.recipe.encoding.picture_shape
    return shape if shape is not None and int(np.prod(shape)) == d else None


def _color_by(current: Run, names: dict[int, str], key: str, features: list[str]) -> None:
    """Colour the map by the column of a bar; a level of a category by its column."""
    found = clicked(key)
    if not found:
        return
    feature = features[int(found[0][0])]
    options = [key for key in colorings(current, names) if key.startswith("column:")]
    fitting = [key for key in options if feature.startswith(key.removeprefix("column:"))]
    if fitting:
        best = max(fitting, key=len)
        st.session_state["color_by"] = st.session_state["coloring"] = best
        st.toast(f"The map is coloured by {esc_md(best.removeprefix('column:'))}.")
    else:
        st.toast("This dimension is no column of the data: there is nothing to colour by.")


def _open_component(current: Run) -> None:
    """Show the loadings of the component clicked on, where they are kept."""
    from explorer.ui.method_view import open_drawing  # which draws with this module

    found = clicked("method.scree")
    loadings = _extras(current).get("loadings")
    if not found or loadings is None:
        return
    place = int(found[0][0]) - _on_map(current)[0]
    if not 0 <= place < loadings.shape[1]:
        st.toast(f"Loadings are kept of {loadings.shape[1]:,} components.")
        return
    st.session_state[_AXES] = [place]
    open_drawing("loadings")


def _on_map(current: Run) -> tuple[int, int]:
    """The first component drawn, from 0, and how many are."""
    assert current.projection is not None
    return int(getattr(current.recipe.projecting, "skip", 0)), current.projection.points.shape[1]


def _titles(current: Run, count: int, first: int) -> list[str]:
    assert current.projection is not None
    axes = list(current.projection.axes)
    letters = axes[0].split(" ")[0]  # PC, SV, IC
    extras = current.projection.extras
    ratios = extras.get("explained_variance_ratio", extras.get(_ENERGY))
    for place in range(len(axes), count):
        number = first + place
        share = f" ({ratios[number]:.1%})" if ratios is not None and number < len(ratios) else ""
        axes.append(f"{letters} {number + 1}{share}".replace("%", " %"))
    return axes


def _extras(current: Run) -> dict[str, np.ndarray]:
    assert current.projection is not None
    return current.projection.extras


def _shape(current: Run) -> tuple[int, int]:
    assert current.embedding is not None
    n, d = current.embedding.vectors.shape
    return int(n), int(d)


def _named(current: Run) -> bool:
    return current.embedding is not None and bool(current.embedding.features)


def _title(current: Run) -> str:
    return current.embedding.title if current.embedding is not None else ""

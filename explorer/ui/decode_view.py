"""The panel that decodes a place on the map: what a network's decoder makes where no row is.

What the front end (`front/decode.js`) is given, besides `module` as in `point_view`:
    group, geometry     of the map, as there: it hears of clicks on that map's empty space
    axes        names of the two axes
    decoder     {key, url} as `decoder_view` says;  notes   sentences about it
    way         how a point becomes a latent vector, `words` say it. kind 'plane': origin, along
                (`project.Inverse`); 'near': by the codes of the nearest rows
    codes       {url} n x latent float32, for 'near'
    pictures    address of the rows' pictures: + '/<dataset row>', or null
    cards       address of the rows' cards, whose titles name them: + '/<dataset row>'
What comes back: lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.errors import DataError
from explorer.escape import shown
from explorer.measures import made_of
from explorer.project import Inverse
from explorer.run import Run
from explorer.ui.decoder_view import decoder_content, notes_of
from explorer.ui.gallery_rows import GalleryRows
from explorer.ui.kept import Kept
from explorer.ui.map_data import digest, picture_of, places_of
from explorer.ui.point_view import LOADER
from explorer.ui.problem import show_problem
from explorer.ui.served import (
    card_address,
    front_file,
    module_address,
    picture_address,
    shelf,
)

_KEY = "decode"
_MOST = 8_000_000
"""Numbers of all codes (32 MB) up to which the browser holds them."""
_inverses: Kept[Inverse | tuple[()]] = Kept(32)


def has_decoder(current: Run) -> bool:
    """Whether the run's encoder is a network that rebuilds rows."""
    return current.plan.model is not None and current.model is not None and bool(
        current.model.decoder)


def show_decode(current: Run, names: dict[int, str]) -> None:
    """The panel: click on the map, or type a place."""
    embedding, projection = current.embedding, current.projection
    assert embedding is not None
    assert projection is not None
    why = _why_not(current)
    if why:
        st.info(why, icon=":material/info:")
        return
    way = way_of(current)
    if way["kind"] == "near" and embedding.vectors.size > _MOST:
        st.info(f"This map has no inverse, and {embedding.vectors.size:,} latent numbers are too "
                f"many for the browser (at most {_MOST:,}): draw the map by PCA or by the plane of "
                "the vectors.", icon=":material/info:")
        return
    try:
        decoder = decoder_content(current)
    except DataError as error:
        show_problem(error)
        return
    assert current.model is not None
    data, picture = current.dataset, picture_of(current)
    places, token = places_of(picture), _token(current, names)
    told: dict[str, Any] = {
        "module": module_address("decode.js"), "group": digest(data.id),
        "geometry": {"key": digest((picture.embedding, picture.projection, picture.same_units)),
                     "middle": places.middle, "unit": places.unit},
        "axes": [shown(axis) for axis in projection.axes], "decoder": decoder,
        "notes": list(notes_of(current.model)), "way": way, "cards": card_address(token),
        "pictures": picture_address(token) if data.has_images else None}
    if way["kind"] == "near":
        told["codes"] = {"url": shelf.put(
            ("codes", current.plan.embedding),
            lambda: np.asarray(embedding.vectors, dtype="<f4").tobytes())}
    st.caption("What would stand where no row is? Click on the empty space of the map: the network "
               "decodes that place at once, beside it and here.")
    st.components.v2.component(
        "explorer_decode", html=front_file("decode.html"), css=front_file("decode.css"),
        js=LOADER)(key=_KEY, data=told, on_lost_change=_put_back)


def _why_not(current: Run) -> str:
    """Why no place can be decoded; '' where it can."""
    if not has_decoder(current):
        return ("The recipe's encoder has no decoder: places of the map can be decoded where it is "
                "an autoencoder, or PCA of the rows.")
    assert current.projection is not None
    if current.projection.points.shape[1] != 2 or st.session_state.get("no_webgl"):
        return "Places can be decoded on a flat map that our own view draws: choose 2 dimensions."
    if getattr(current.recipe.encoding, "normalize", False):
        return ("The recipe brings every vector to length 1, and a decoder needs the numbers "
                "before that: switch 'normalize' off in the recipe.")
    return ""


def way_of(current: Run) -> dict[str, Any]:
    """How a point of the map becomes a latent vector, and the words for it."""
    found = _inverse(current)
    if found is not None:
        words = ("Exact: the map is the whole latent space, so this is the latent vector at that "
                 "point." if found.exact else
                 f"The nearest point of a plane in the latent space: {found.words}.")
        return {"kind": "plane", "origin": found.origin.tolist(), "along": found.along.tolist(),
                "words": words}
    return {"kind": "near", "words": "Approximated: this map has no inverse, so this is the mean "
                                     "of the latent vectors of the nearest points, weighted by 1 / "
                                     "distance on the map:"}


def _inverse(current: Run) -> Inverse | None:
    def find() -> Inverse | tuple[()]:
        assert current.embedding is not None
        assert current.projection is not None
        found = current.recipe.projecting.inverse(np.asarray(current.embedding.vectors),
                                                  current.projection)
        return found if found is not None else ()
    return _inverses.get((current.plan.embedding, current.plan.projection), find) or None


def _token(current: Run, names: dict[int, str]) -> str:
    """Of the cards and pictures of all rows."""
    data = current.dataset
    return shelf.put_rows(("gallery", data.id, tuple(data.roles.items()), current.plan.embedding,
                           current.plan.clustering, made_of(current),
                           tuple(sorted(names.items()))), lambda: GalleryRows(current, names))


def _put_back() -> None:
    """Nothing to do: the rerun that this call begins puts what it shows back on the shelf."""


__all__ = ["has_decoder", "show_decode", "way_of"]

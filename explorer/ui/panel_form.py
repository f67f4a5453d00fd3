"""The dialog that asks for another picture of the same rows: another projector, or encoder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import streamlit as st

from explorer.encode import Encoder, encoders
from explorer.errors import ExplorerError
from explorer.project import Projector, projectors
from explorer.propose import fitting_encoders
from explorer.recipe import Call, Recipe
from explorer.spec import Method
from explorer.ui import state
from explorer.ui.form import choose_method
from explorer.ui.problem import problems_shown

MOST = 12
"""The last so many pictures asked for stay in the list."""


@st.dialog("Draw another picture", width="large")
def ask_for_picture(recipe: Recipe, place: int) -> None:
    """Forms for encoder and projector; the picture asked for is shown in the panel `place`."""
    st.caption("The same rows, drawn another way: clusters, names and selection stay as they are.")
    data = state.dataset()
    assert data is not None
    with problems_shown():
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown("**Encode**")
            encoder = choose_method("picture_encoder", encoders(), recipe.encoder, None,
                                    [method.key for method in fitting_encoders(data)],
                                    lambda method: method.offers(data))
        with right:
            st.markdown("**Project**")
            flat = [method.key for method in projectors() if method.reads != "coordinates"]
            call = recipe.projector if recipe.projector.method in flat else Call(method=flat[0])
            projector = choose_method("picture_projector", projectors(), call, None, flat)
        ready = isinstance(encoder, Encoder) and isinstance(projector, Projector)
        if st.button("Show it", type="primary", disabled=not ready) and ready:
            assert isinstance(encoder, Encoder)
            assert isinstance(projector, Projector)
            _keep(recipe, encoder, projector, place)
            st.rerun()


def recipe_of(recipe: Recipe, asked: dict[str, Any]) -> Recipe | None:
    """The recipe of a picture that was asked for; None where this version does not know it."""
    try:
        return recipe.using(encoder=Call.model_validate(asked["encoder"]),
                            projector=Call.model_validate(asked["projector"])).check()
    except (ExplorerError, ValueError, KeyError):
        return None


def add_picture(recipe: Recipe, encoder: Encoder, projector: Projector) -> str:
    """Note in the workspace a flat picture of the recipe's rows; its name among the pictures."""
    if getattr(projector, "dimensions", 2) != 2:  # only flat pictures stand side by side
        projector = type(projector).create(**{**projector.values(), "dimensions": 2})
    calls = {"encoder": Call.of(encoder).model_dump(mode="json"),
             "projector": Call.of(projector).model_dump(mode="json")}
    name = hashlib.sha256(json.dumps(calls, sort_keys=True).encode()).hexdigest()[:12]
    title = _told(projector)
    if Call.of(encoder) != recipe.encoder:
        title = f"{_told(encoder)}: {title}"
    pictures = [old for old in state.document().pictures if old.get("name") != name]
    state.change(pictures=(*pictures, {"name": name, "title": title, **calls})[-MOST:])
    return name


def _told(method: Method) -> str:
    changed = ", ".join(f"{key} {value}" for key, value in method.changed().items())
    return f"{method.title} ({changed})" if changed else method.title


def _keep(recipe: Recipe, encoder: Encoder, projector: Projector, place: int) -> None:
    name = add_picture(recipe, encoder, projector)
    state.change(panels=tuple({"show": name} if at == place - 1 else panel
                              for at, panel in enumerate(state.document().panels)))
    st.session_state.pop(f"maps.picture.{place}", None)

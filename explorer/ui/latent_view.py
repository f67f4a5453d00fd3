"""The latent space of a run's network, moved in live: the browser decodes (`front/latent.js`).

What the front end is given, besides `module` as in `point_view`:
    key         changes with the rows or the network
    decoder     {key, url} as `decoder_view` says
    notes       sentences about the decoder
    n, total    how many rows have their code there, and of how many
    rows        address: their dataset rows (uint32, ascending)
    codes       address: n x latent float32
    low, high, mean     of each latent number among these rows: where sliders end and start
    order       the latent numbers, the most telling first; `worth` {title, unit, values} says why,
                values by latent number
    gaussian    whether codes are meant to be spread as a standard normal distribution (VAE)
    chosen      {count, rows: [{row, code}]}: of the selection the first and the last with a code
    cards       address of the cards: + '/<dataset row>';  pictures  of the pictures, or null
    tiles       where rows are texts, address of these: + '?rows=<dataset row>,...'; else null
    most        how many rows the data set has
What comes back: lost; map: a dataset row to select and show on the map.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.encode.vae import VariationalAutoencoder
from explorer.measures import made_of
from explorer.study.latent_units import LatentUnits, is_at_length_one
from explorer.ui import state
from explorer.ui.decoder_view import decoder_content, notes_of
from explorer.ui.gallery_rows import GalleryRows
from explorer.ui.latent_data import Codes, codes_of
from explorer.ui.latent_units_view import show_units
from explorer.ui.map_data import digest
from explorer.ui.point_view import LOADER
from explorer.ui.served import (
    card_address,
    front_file,
    module_address,
    picture_address,
    shelf,
    tiles_address,
)
from explorer.ui.study_view import ask
from explorer.ui.trained import TRAIN_PAGE, TrainedRun
from explorer.values import Finding

_KEY = "latent"


def show_latent(trained: TrainedRun) -> None:
    """Sliders, walk, grid and traversals; below, what the latent numbers stand for."""
    if not trained.model.decoder:
        st.info("This network was kept without a description of its decoder, so the browser cannot "
                "compute it. Train it again to move in its latent space.", icon=":material/info:")
        st.button("Train an encoder", type="primary", on_click=state.go_to, args=(TRAIN_PAGE,),
                  key="lead.train.again")
        return
    found = _computed(trained)
    raw = _raw(trained, found)
    if _scaled(trained) and raw is None:
        st.info("The recipe brings every vector to length 1, and a decoder needs the numbers the "
                "network gave before that. Compute the units below: they are kept with them.",
                icon=":material/info:")
    else:
        _show(trained, codes_of(trained, raw), found, raw)
    st.divider()
    got = ask(LatentUnits, trained.run)
    if got is not None:
        show_units(got[1], trained)


def _show(trained: TrainedRun, codes: Codes, found: Finding | None,
          raw: np.ndarray | None) -> None:
    run, names = trained.run, state.cluster_names()
    data = run.dataset
    token = shelf.put_rows(("gallery", data.id, tuple(data.roles.items()), run.plan.embedding,
                            run.plan.clustering, made_of(run), tuple(sorted(names.items()))),
                           lambda: GalleryRows(run, names))
    content = ("latent", run.plan.embedding, raw is not None, len(codes.rows))
    order, worth = _order(codes, found)
    told = {
        "module": module_address("latent.js"), "key": digest(content),
        "decoder": decoder_content(run), "notes": list(notes_of(trained.model)),
        "n": len(codes.rows), "total": codes.total,
        "rows": shelf.put((*content, "rows"), lambda: codes.rows.astype("<u4").tobytes()),
        "codes": shelf.put((*content, "codes"), lambda: codes.codes.astype("<f4").tobytes()),
        "low": _plain(codes.low), "high": _plain(codes.high), "mean": _plain(codes.mean),
        "order": order, "worth": worth,
        "gaussian": isinstance(trained.method, VariationalAutoencoder),
        "chosen": _chosen(trained, raw), "cards": card_address(token),
        "pictures": picture_address(token) if data.has_images else None, "most": data.n,
        "tiles": tiles_address(token) if data.with_role("text") else None,
    }
    st.components.v2.component(
        "explorer_latent", html=front_file("latent.html"),
        css=front_file("latent.css"), js=LOADER)(
            key=_KEY, data=told, on_lost_change=_put_back, on_map_change=_to_map)


def _computed(trained: TrainedRun) -> Finding | None:
    """What the study of the latent numbers found out, where it was computed as it is set."""
    for made in state.document().studies:
        if made["method"] == LatentUnits.key:
            return trained.run.finding(LatentUnits.create(**made["parameters"]))
    return trained.run.finding(LatentUnits.create())


def _raw(trained: TrainedRun, found: Finding | None) -> np.ndarray | None:
    """The codes before they were brought to length 1; None where the embedding has them."""
    if found is None or not _scaled(trained):
        return None
    return found.extras["codes"]


def _scaled(trained: TrainedRun) -> bool:
    """Whether the embedding is not what the network gave."""
    return is_at_length_one(trained.run.recipe.encoding)


def _order(codes: Codes, found: Finding | None) -> tuple[list[int], dict[str, Any]]:
    """The latent numbers, the most telling first, and the numbers that say so."""
    if found is not None and "kl" in found.extras:
        values, title, unit = found.extras["kl"], "KL", "nats"
    else:
        values, title, unit = codes.variance, "variance", ""
    order = np.argsort(-np.asarray(values, dtype=np.float64), kind="stable")
    return order.tolist(), {"title": title, "unit": unit, "values": _plain(values)}


def _chosen(trained: TrainedRun, raw: np.ndarray | None) -> dict[str, Any]:
    rows = state.selection().rows
    run = trained.run
    places = run.positions(rows)
    ends = places[[0, -1]] if len(places) > 1 else places
    vectors = trained.embedding.vectors if raw is None else raw
    return {"count": len(rows), "rows": [{"row": int(run.rows[place]),
                                          "code": _plain(vectors[place])} for place in ends]}


def _plain(numbers: np.ndarray) -> list[float]:
    return [float(f"{number:.7g}") for number in np.asarray(numbers, dtype=np.float64)]


def _to_map() -> None:
    row = st.session_state[_KEY]["map"]
    if row is not None:
        state.select(np.array([int(row)]), _KEY)
        state.go_to("pages/explore/map.py")


def _put_back() -> None:
    """Nothing to do: the rerun that this call begins puts what it shows back on the shelf."""

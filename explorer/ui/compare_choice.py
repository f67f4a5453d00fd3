"""Which encoders are compared, and against what: offered from the data, chosen, remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st

from explorer.comparison import MOST, Terms, recipe_with
from explorer.dataset import Dataset
from explorer.encode import Encoder, encoders
from explorer.encode.autoencoder import Autoencoder
from explorer.encode.principal_components import PrincipalComponents
from explorer.encode.trained import TrainedEncoder
from explorer.errors import ExplorerError
from explorer.escape import shown
from explorer.known_groups import group_columns
from explorer.propose import fitting_encoders
from explorer.recipe import Call
from explorer.run import Run
from explorer.ui import compare_board as board
from explorer.ui import leaderboard_board, state
from explorer.ui.form import choose_method
from explorer.ui.job_panel import about, submit
from explorer.ui.leaderboard_view import told
from explorer.ui.problem import problems_shown, show_problem

_CHOSEN, _PROBLEM = "compare.encoders", "compare.problem"
_NONE = ""
_FIRST = 8
_METRICS = ("euclidean", "cosine")


@dataclass(frozen=True)
class Offer:
    """An encoder that can be compared, what it is called, and whether it is chosen at first."""

    encoder: Encoder
    title: str
    first: bool = False


def show_choice(current: Run, started: bool) -> None:
    """The encoders, the column and the button with its estimate; folded where there is a
    comparison already (`started`)."""
    problem = st.session_state.pop(_PROBLEM, None)
    if problem is not None:
        show_problem(problem)
    with st.expander("Choose encoders", expanded=not started, icon=":material/checklist:"):
        offers = offered(current)
        _fill(offers)
        names: list[str] = st.multiselect(
            "Encoders", list(offers), key=_CHOSEN, max_selections=MOST,
            format_func=lambda name: shown(offers[name].title),
            help="Raw is what networks read, before any of them. PCA keeps as many numbers as a "
                 "network does by default: the measure for every network. Then the recipe's "
                 "encoder, the networks trained in this workspace, and what else fits the data.")
        terms = _terms(current)
        if st.session_state.pop("compare.asking", False):
            _more(current)
        try:
            recipes = [recipe_with(current.recipe, offers[name].encoder) for name in names]
            steps = leaderboard_board.plan_all(recipes, terms) if recipes else ()
        except ExplorerError as error:
            show_problem(error)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(f"Compare {len(names)} encoders", type="primary", key="compare.run",
                      icon=":material/play_arrow:", disabled=len(names) < 2, on_click=_start,
                      args=([offers[name].encoder for name in names], terms, current))
            st.button("Add one with other settings", icon=":material/add:", key="compare.more",
                      on_click=_ask_more)
            st.caption(_work(len(names), len(steps), sum(step.seconds for step in steps)))


def offered(current: Run) -> dict[str, Offer]:
    """What can be compared on these rows, by name: what networks read, PCA, the recipe's encoder,
    the networks of this workspace, what is chosen already, and what else fits the data and works on
    this machine."""
    found: dict[str, Offer] = {}
    for offer in _candidates(current):
        found.setdefault(name_of(offer.encoder), offer)
    return found


def name_of(encoder: Encoder) -> str:
    """An encoder with all its parameters as one line."""
    return json.dumps(Call.of(encoder).model_dump(mode="json"), sort_keys=True)


def _candidates(current: Run) -> Iterator[Offer]:
    data = current.dataset
    raw = board.raw_of(data)
    if raw is not None:
        yield Offer(raw, raw_title(raw), first=True)
        yield Offer(PrincipalComponents.create(), PrincipalComponents.title, first=True)
    yield Offer(current.recipe.encoding, told(current.recipe.encoding), first=True)
    for call in (*state.document().trained, *board.kept_calls()):
        method = board.encoder_of(call)
        if method is not None:
            yield Offer(method, told(method), first=isinstance(method, TrainedEncoder))
            if isinstance(method, TrainedEncoder) and method.dimensions is not None:
                linear = _linear(method)
                yield Offer(linear, told(linear), first=True)
    for kind in fitting_encoders(data):
        method = kind.create()
        if _works(method, data):
            yield Offer(method, told(method), first=not isinstance(method, TrainedEncoder))


def _linear(method: TrainedEncoder) -> Encoder:
    """PCA of the same numbers, with as many dimensions."""
    return PrincipalComponents.create(reads=method.reads, dimensions=method.dimensions,
                                      side=method.side, colour=method.colour)


def raw_title(raw: Encoder) -> str:
    """What the reader is called where it stands for itself."""
    shape = raw.picture_shape
    if shape is None:
        return f"Raw: {told(raw)}"
    return f"Raw: pixels {shape[1]} x {shape[0]} {'colour' if shape[2] == 3 else 'grey'}"


def _works(method: Encoder, data: Dataset) -> bool:
    try:
        method.columns(data)
        method.fingerprint()
    except ExplorerError:
        return False
    return True


def _fill(offers: dict[str, Offer]) -> None:
    """What is chosen: as it was left, as it is kept, or the first offers."""
    if _CHOSEN not in st.session_state:
        left = st.session_state.get(f"{_CHOSEN}.kept")
        kept = [name_of(method) for call in board.kept_calls()
                if (method := board.encoder_of(call)) is not None]
        chosen = left or kept or [name for name, offer in offers.items() if offer.first][:_FIRST]
        st.session_state[_CHOSEN] = [name for name in chosen if name in offers]
    chosen = [name for name in st.session_state[_CHOSEN] if name in offers]
    if chosen != st.session_state[_CHOSEN]:
        st.session_state[_CHOSEN] = chosen
    st.session_state[f"{_CHOSEN}.kept"] = chosen


def _terms(current: Run) -> Terms:
    saved = board.terms()
    columns = [_NONE, *(offer.name for offer in group_columns(current.dataset) if not offer.why)]
    first = saved.column if board.kept_calls() else columns[min(1, len(columns) - 1)]
    most = max(1, min(50, current.dataset.n - 1))
    defaults = {"compare.column": first if first in columns else _NONE,
                "compare.k": min(saved.k, most), "compare.metric": saved.metric}
    for key, value in defaults.items():
        if key not in st.session_state:
            st.session_state[key] = value
    if st.session_state["compare.column"] not in columns:
        st.session_state["compare.column"] = _NONE
    left, middle, right = st.columns(3)
    left.selectbox(
        "Known groups", columns, key="compare.column",
        format_func=lambda name: shown(name) or "none",
        help="A column to predict from the vectors (probes) and to compare the clusters with "
             "(ARI). Without one both are not defined.")
    middle.number_input("Neighbours (k)", 1, most, key="compare.k",
                        help="Of the kNN probe, and of the neighbours in common.")
    right.selectbox("Distance", _METRICS, key="compare.metric",
                    help="Between neighbours. Clusters are made and judged with their own "
                         "method's distance.")
    return _asked()


def _asked() -> Terms:
    """What the form says."""
    return Terms(str(st.session_state["compare.column"]), int(st.session_state["compare.k"]),
                 str(st.session_state["compare.metric"]))


def _work(chosen: int, steps: int, seconds: float) -> str:
    if chosen < 2:
        return "Choose at least two encoders."
    if not steps:
        return "Everything but the neighbours in common is computed already."
    return f"{steps} steps to compute, {about(seconds)} of one core; they go on while you do " \
           "something else, and after a reload."


def _start(chosen: list[Encoder], terms: Terms, current: Run) -> None:
    try:
        board.keep(chosen, terms)
        submit(board.read(current).missing)
    except ExplorerError as error:
        st.session_state[_PROBLEM] = error


def _ask_more() -> None:
    st.session_state["compare.asking"] = True


@st.dialog("Add an encoder", width="large")
def _more(current: Run) -> None:
    data = current.dataset
    with problems_shown():
        method = choose_method("compare_encoder", encoders(), Call.of(Autoencoder.create()), None,
                               [kind.key for kind in fitting_encoders(data)],
                               lambda kind: kind.offers(data))
        if st.button("Add it", type="primary", disabled=method is None) and method is not None:
            assert isinstance(method, Encoder)
            chosen = [json.loads(name) for name in st.session_state.get(f"{_CHOSEN}.kept", ())]
            every = [one for call in chosen if (one := board.encoder_of(call)) is not None]
            board.keep([*every, method], _asked())
            st.session_state.pop(_CHOSEN, None)
            st.session_state[f"{_CHOSEN}.kept"] = [name_of(one) for one in (*every, method)]
            st.rerun()

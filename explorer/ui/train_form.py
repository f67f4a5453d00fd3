"""What to train, on what, with which settings, and the button."""

from __future__ import annotations

import streamlit as st

from explorer import values
from explorer.dataset import Dataset
from explorer.encode import Encoder
from explorer.encode.principal_components import PrincipalComponents
from explorer.encode.trained import TrainedEncoder
from explorer.errors import ExplorerError
from explorer.escape import esc_md
from explorer.plan import Plan
from explorer.recipe import Recipe
from explorer.spec import Facts
from explorer.ui import state, train_ask
from explorer.ui.backend import backend
from explorer.ui.form import edit_method, with_label
from explorer.ui.job_panel import about
from explorer.ui.problem import show_problem
from explorer.ui.train_ask import drafted, files_of, keys_of, learners
from explorer.ui.train_course import held_back, read_shape

_CHOICE = "train.method"


def show_form(data: Dataset) -> None:
    """The form; refuses in words what cannot be trained."""
    recipe = drafted(data)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        chosen = _choose(recipe)
    with right:
        st.markdown(f"**{esc_md(chosen.title)}** · {esc_md(chosen.describe())}")
        method = _settings(chosen, data, recipe)
        if method is not None:
            _offer(method, data, recipe)
    with left:
        _baseline(method, data, recipe)


def _choose(recipe: Recipe) -> type[TrainedEncoder]:
    known = {method.key: method for method in learners()}
    asked = train_ask.open_form()
    if _CHOICE not in st.session_state:
        first = next(iter(known))
        before = [call["method"] for call in state.document().trained]
        wanted = [asked, recipe.encoder.method, *before, first]
        st.session_state[_CHOICE] = next(key for key in wanted if key in known)
    key = st.radio("What to train", list(known), key=_CHOICE,
                   format_func=lambda key: esc_md(known[key].title),
                   captions=[esc_md(_first_sentence(method)) for method in known.values()])
    return known[key or next(iter(known))]


def _first_sentence(method: type[TrainedEncoder]) -> str:
    said = " ".join(method.describe().split())
    end = min(found for found in (said.find(". "), said.find(": "), len(said) - 1) if found > 0)
    return f"{said[:end]}."


def _settings(chosen: type[TrainedEncoder], data: Dataset, recipe: Recipe,
              ) -> TrainedEncoder | None:
    """The declaration as filled in; None while it is refused."""
    given = recipe.encoder.parameters if (
        recipe.encoder.method == chosen.key and not train_ask.open_form()) else {}
    # When to stop is for the button that stops.
    method = edit_method("train", chosen, given, None, fixed={"stop_after": None})
    if method is None:
        return None
    try:
        _show_read(method, data)
        shape = read_shape(method)
        if shape is not None:
            method.check(_facts(method, shape))
    except ExplorerError as error:
        show_problem(with_label(error))
        return None
    return method


def _show_read(method: TrainedEncoder, data: Dataset) -> None:
    """What the network will see. Raises DataError where there is nothing of the kind."""
    reader = method.reader(data)
    names = [column.name for column in reader.columns(data)]
    listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    shape = read_shape(method)
    n = data.n if shape is None else shape[0]
    held = held_back(method, n)
    parts = [f"Sees **{esc_md(_seen_as(reader))}** ({esc_md(listed)})"]
    if shape is not None:
        parts.append(f"{shape[1]:,} numbers a row")
    parts.append(f"{n:,} rows" + ("" if n == data.n else f" of {data.n:,} that can be read"))
    parts.append(f"{held:,} of them held back to judge it (never trained on; drawn with seed "
                 f"{method.seed:d})" if held else "too few to hold any back: judged on the rows it "
                                                  "learns from")
    st.markdown(":material/visibility: " + " · ".join(parts))


def _seen_as(reader: Encoder) -> str:
    """What a reader makes of rows, in words."""
    shape = reader.picture_shape
    if shape is None:
        return reader.title
    colour = "colour" if shape[2] == 3 else "grey"
    return f"images as {shape[1]} x {shape[0]} pixels in {colour}"


def _facts(method: TrainedEncoder, shape: tuple[int, int]) -> Facts:
    entry = backend().store.find(keys_of(method).read)
    return (values.facts_in(entry) if entry is not None else None) or Facts(*shape)


def _offer(method: TrainedEncoder, data: Dataset, recipe: Recipe) -> None:
    """What it takes, and the buttons. A training cut off goes on."""
    wanted = recipe.using(encoder=method)
    try:
        plan = state.plan_of(wanted)
        missing = plan.missing(backend().store)
    except ExplorerError as error:
        show_problem(with_label(error))
        return
    trained = plan.model not in {step.key for step in missing}
    if not trained and _in_training(str(plan.model)):
        st.info("Exactly these settings are in training now.", icon=":material/model_training:")
        if state.document().ran != wanted.to_data():
            st.button("Watch it", key="train_start", type="primary", icon=":material/visibility:",
                      on_click=train_ask.train, args=(method,))
        return
    reached = 0 if trained else files_of(method).reached()
    if reached:
        st.info(f"An unfinished training of these settings stands at epoch {reached:,} of "
                f"{method.epochs:,}: it goes on from there, and ends as if it had never been "
                "interrupted.", icon=":material/pause_circle:")
    label = ("Use this network" if trained else
             f"Go on from epoch {reached:,}" if reached else "Train")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(label, key="train_start", type="primary", icon=":material/play_arrow:",
                  on_click=train_ask.train, args=(method,))
        if reached:
            st.button("Start from the first epoch", key="train_again", icon=":material/replay:",
                      on_click=train_ask.start_again, args=(method,),
                      help="Throws the unfinished training away.")
    st.caption(_what_happens(plan, trained, sum(step.seconds for step in missing), recipe))


def _in_training(model: str) -> bool:
    view = backend().jobs.view(model)
    return view is not None and view.state in ("queued", "running")


def _what_happens(plan: Plan, trained: bool, seconds: float, recipe: Recipe) -> str:
    drawn, grouped = esc_md(recipe.projecting.title), esc_md(recipe.clustering.title)
    follow = (f"It becomes the encoder of this workspace's recipe: the map ({drawn}) and the "
              f"clusters ({grouped}) are then made of its vectors.")
    if trained:
        rest = f" The rest takes {about(seconds)}." if seconds else " All of it is computed."
        return f"Trained before with exactly these settings, and stored.{rest} {follow}"
    step = next(step for step in plan.steps if step.kind == "model")
    return (f"Training takes {about(step.seconds)} at most, all together {about(seconds)}, with "
            f"about {_memory(int(step.payload['size']['bytes']))} of memory (estimates; they get "
            f"better with every training here). {follow}")


def _memory(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6)):d} MB"


def _baseline(method: TrainedEncoder | None, data: Dataset, recipe: Recipe) -> None:
    """PCA, always beside the networks."""
    cls = PrincipalComponents
    with st.container(border=True):
        st.markdown(f"**{esc_md(cls.title)}** is the linear baseline: it needs no training, and no "
                    "linear encoder rebuilds rows better from so few numbers. What a network is "
                    "worth is how far it gets beyond it.")
        if method is None:
            return
        fitting = {name: value for name, value in method.values().items()
                   if name in cls.model_fields and name in ("reads", "side", "colour",
                                                            "dimensions")}
        try:
            pca = cls.create(**fitting)
            shape = read_shape(method)
        except ExplorerError:  # more dimensions than PCA takes: nothing to compare with
            return
        if shape is not None and method.dimensions is None:
            pca = cls.create(**{**fitting, "dimensions": min(_latent(method, data, shape),
                                                              shape[1])})
        wide = f" with {pca.dimensions:,} dimensions" if pca.dimensions else ""
        st.button(f"Use PCA{wide}", key="train_pca", icon=":material/straighten:",
                  disabled=recipe.encoder.method == cls.key
                  and recipe.encoder.parameters == pca.values(),
                  on_click=train_ask.use, args=(pca,),
                  help="Of the same numbers, with as many dimensions, as the encoder of the "
                       "recipe.")


def _latent(method: TrainedEncoder, data: Dataset, shape: tuple[int, int]) -> int:
    picture = method.reader(data).picture_shape
    seen = shape[1:] if picture is None else (picture[2], picture[0], picture[1])
    return method.latent(tuple(seen))

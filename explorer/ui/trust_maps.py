"""Several maps of one embedding, measured alike and ranked: which one to look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st

from explorer import values
from explorer.errors import ExplorerError
from explorer.escape import esc_md, shown
from explorer.jobs import Step
from explorer.plan import Plan, missing
from explorer.plot.neighbor_curves import draw_neighbor_curves
from explorer.plot.thumbnail import draw_thumbnail
from explorer.project import Projector, projectors
from explorer.recipe import Recipe, open_recipe
from explorer.run import Run
from explorer.study.map_trust import MapTrust
from explorer.study.step import study_key, study_step
from explorer.ui import state
from explorer.ui.backend import backend
from explorer.ui.job_panel import about, submit, watch
from explorer.ui.kept import Kept
from explorer.ui.panel_form import recipe_of
from explorer.ui.problem import show_problem
from explorer.ui.shared import calibration
from explorer.ui.trust_view import (
    CURVES,
    MEANT,
    TILES,
    chance_of,
    choose_curve,
    curve_of,
    in_words,
    scores_of,
)
from explorer.values import Finding, Score, facts_in

_USUAL = ("pca", "tsne", "umap")
_DRAWING = ("encode", "model", "graph", "project")
_HEADS = {"Neighbours kept": "Neighbours kept ↑", "Trustworthiness": "Trust ↑",
          "Continuity": "Continuity ↑", "Distance correlation (Spearman)": "Distances ↑",
          "Stress at the best scale": "Stress ↓"}
_WIDTHS = [5, 5, 3, 3, 3, 3, 3, 2, 4]
_OWN = ""
_findings: Kept[Finding] = Kept(64)
_stamps: Kept[bytes] = Kept(64)


@dataclass(frozen=True)
class Drawn:
    """A map that may be compared: its title, its plan, the study of it."""

    title: str
    plan: Plan
    study: MapTrust

    @property
    def key(self) -> str:
        return study_key(self.plan, self.study)


@dataclass(frozen=True)
class Measured:
    """A map with what was found out about it and the seconds its projection took."""

    drawn: Drawn
    finding: Finding
    seconds: float

    def score(self, name: str) -> Score:
        return scores_of(self.finding)[name]


def show_maps(current: Run, study: MapTrust) -> None:
    """The table of maps of this run's embedding, all measured by the same study."""
    st.subheader("Which map of this embedding keeps most?", anchor=False)
    metric = study.measures_by(current.recipe.projecting.distance)
    st.caption("Each is drawn from the same vectors and measured the same way "
               f"(k={study.neighbors:d}, {esc_md(metric)} distance in the embedding, the same "
               "rows). PCA is made to keep distances (global), t-SNE and UMAP to keep neighbours "
               "(local): no map is best at both, so choose by what you want to read off it.")
    options = _options(current)
    chosen = _choose(options)
    try:
        maps = [_drawn(current, options[key][0], options[key][1], study) for key in chosen]
    except ExplorerError as error:
        show_problem(error)
        return
    found = [measured for one in maps if (measured := _measured(one)) is not None]
    _offer_missing([one for one in maps if all(one.key != done.drawn.key for done in found)])
    if not found:
        return
    by = str(st.selectbox("Best first by", TILES, key="trust.rank_by", width=320,
                          format_func=lambda name: shown(name)))
    found.sort(key=lambda one: _rank(one.score(by)))
    _show_table(current, found)
    what = choose_curve("trust.curve_of_all")
    curves = [one for one in found if "counts" in one.finding.extras]
    if curves:
        st.plotly_chart(draw_neighbor_curves(
            [curve_of(one.drawn.title, one.finding, what) for one in curves],
            what=CURVES[what][1], asked=study.neighbors, chance=chance_of(what, curves[0].finding)),
            key="trust.curves_of_all", config={"displaylogo": False})


def _options(current: Run) -> dict[str, tuple[str, Recipe]]:
    """The run's own map, every projector with its defaults (and the own map's distance and
    dimensions), and the pictures people asked for of the same embedding, by key."""
    recipe = current.recipe.unedited
    found = {_OWN: (f"{recipe.projecting.title} (this map)", recipe)}
    given = len(current.dataset.with_role("coordinate")) in (2, 3)
    for method in projectors():
        if method.key != recipe.projector.method and (method.reads != "coordinates" or given):
            like = _like(current, method)
            found[method.key] = (_titled(like), recipe.using(projector=like))
    for asked in state.document().pictures:
        variant = recipe_of(recipe, asked)
        if variant is not None and variant.encoder == recipe.encoder:
            found[str(asked["name"])] = (str(asked["title"]), variant)
    return found


def _like(current: Run, method: type[Projector]) -> Projector:
    """The projector with the distance and the dimensions of the run's own, where it has them, and
    otherwise its defaults as far as there are rows enough for them."""
    ours = current.recipe.projecting.values()
    kept = {name: ours[name] for name in ("metric", "dimensions")
            if name in ours and name in method.model_fields}
    try:
        made = method.create(**kept)
    except ExplorerError:
        made = method.create()
    entry = backend().store.find(current.plan.embedding)
    facts = None if entry is None else facts_in(entry)
    if facts is None:
        return made
    given = made.values()
    for name, (low, high) in made.limits(facts).items():
        if given[name] is not None and not low <= given[name] <= high:
            given[name] = int(min(max(given[name], low), high))
    try:
        return method.create(**given)
    except ExplorerError:
        return made  # the job says why it cannot be drawn


def _titled(made: Projector) -> str:
    changed = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                        for name, value in made.changed().items())
    return f"{made.title} ({changed})" if changed else made.title


def _choose(options: dict[str, tuple[str, Recipe]]) -> list[str]:
    if "trust.maps" not in st.session_state:
        usual = [key for key in options if key == _OWN or key in _USUAL]
        kept = [key for key in st.session_state.get("trust.maps.kept", usual) if key in options]
        st.session_state["trust.maps"] = kept
    else:
        st.session_state["trust.maps"] = [key for key in st.session_state["trust.maps"]
                                          if key in options]
    picked = st.multiselect("Maps to compare", list(options), key="trust.maps",
                            format_func=lambda key: shown(options[key][0]))
    st.session_state["trust.maps.kept"] = list(picked)
    return [key for key in options if key in picked]


def _drawn(current: Run, title: str, recipe: Recipe, study: MapTrust) -> Drawn:
    """All are measured by the distance of the run's own map."""
    metric = study.measures_by(current.recipe.projecting.distance)
    if recipe.projector == current.recipe.projector:
        return Drawn(title, current.plan, study)
    if study.measures_by(recipe.projecting.distance) != metric:
        study = MapTrust.create(**{**study.values(), "metric": metric})
    return Drawn(title, state.plan_of(recipe), study)


def _measured(one: Drawn) -> Measured | None:
    store = backend().store
    entry = store.find(one.key)
    drawn = store.find(one.plan.projection)
    if entry is None or drawn is None:
        return None
    finding = _findings.get((str(store.root), one.key), lambda: values.read(Finding, entry))
    return Measured(one, finding, float(drawn.meta["provenance"]["seconds"]))


def _offer_missing(absent: list[Drawn]) -> None:
    """One button for all that is missing; what is there is kept."""
    if not absent:
        return
    steps: dict[str, Step] = {}
    for one in absent:
        for step in one.plan.missing(backend().store):
            if step.kind in _DRAWING:
                steps[step.key] = step
        try:
            step = study_step(one.plan, one.study, calibration((one.study.key,)))
        except ExplorerError as error:
            show_problem(error)
            continue
        steps[step.key] = replace(step, title=f"Trust of {one.title}")
    todo = missing(steps.values(), backend().store)
    if watch(todo, "Drawing and measuring maps", "_trust_maps"):
        return
    seconds = about(sum(step.seconds for step in todo))
    titles = ", ".join(one.title for one in absent)
    left, right = st.columns([2, 3], vertical_alignment="center")
    left.button(f"Draw and measure {len(absent)} "
                f"{'map' if len(absent) == 1 else 'maps'} ({seconds})", type="primary",
                icon=":material/play_arrow:", key="trust.measure", width="stretch",
                on_click=submit, args=(todo,))
    right.caption(f"Still missing: {esc_md(titles)}. Every map that is done stands in the table at "
                  "once and is kept.")


def _rank(score: Score) -> float:
    if score.value is None:
        return np.inf
    return -score.value if score.better == "higher" else score.value


def _show_table(current: Run, found: list[Measured]) -> None:
    best = {name: min(_rank(one.score(name)) for one in found) for name in TILES
            if len(found) > 1}
    head = st.columns(_WIDTHS, vertical_alignment="bottom", gap="small")
    head[1].markdown(":small[**Map**]")
    for column, name in zip(head[2:7], TILES, strict=True):
        scope, _, rest = MEANT[name].partition(".")
        column.markdown(f":small[**{esc_md(_HEADS[name])}**  \n"
                        f":gray[{esc_md(scope.split(',')[0].lower())}]]",
                        help=esc_md(f"{scope}.{rest}"))
    head[7].markdown(":small[**Seconds**]", help="What the projection took when it was computed; "
                                                 "the search for neighbours comes on top.")
    for place, one in enumerate(found):
        _show_line(current, one, best, place)
    st.caption("**Bold with a star**: the best of its column. Pictures draw every row, in the "
               "colours of its cluster.")


def _show_line(current: Run, one: Measured, best: dict[str, float], place: int) -> None:
    cells = st.columns(_WIDTHS, vertical_alignment="center", gap="small")
    cells[0].image(_stamp(current, one), width=168)
    cells[1].markdown(esc_md(one.drawn.title))
    for cell, name in zip(cells[2:7], TILES, strict=True):
        score = one.score(name)
        words = in_words(score)
        wins = score.value is not None and _rank(score) == best.get(name)
        said = score.why or (f"95 %: {score.low:.3f} to {score.high:.3f}, {score.sample:,} of "
                             f"{score.total:,} rows" if score.low is not None
                             and score.high is not None else "")
        cell.markdown(f"**{words}** :material/star:" if wins else words, help=esc_md(said) or None)
    cells[7].markdown(f"{one.seconds:.1f}")
    if one.drawn.plan.projection == current.plan.projection:
        cells[8].markdown(":gray[in use]")
        return
    cells[8].button("Use this map", key=f"trust.use.{place}", width="stretch",
                    on_click=partial(_use, current, one.drawn.plan.recipe.projecting),
                    help="Makes it the map of the recipe. Clusters, names and the selection stay.")


def _use(current: Run, projector: Projector) -> None:
    """The recipe with this projector, run."""
    submit(state.plan_of(current.recipe.using(projector=projector)).missing(backend().store))
    # The edits of this workspace are not in the recipe it ran: they are added to it anew.
    ran = state.document().ran
    recipe = (current.recipe if ran is None else open_recipe(ran).recipe).using(projector=projector)
    # The map left stays in the comparison, by the name it has among the others.
    picked = st.session_state.get("trust.maps.kept", [])
    st.session_state["trust.maps.kept"] = [*picked, current.recipe.projector.method]
    st.session_state.pop("trust.maps", None)
    state.forget_form()
    state.change(recipe=recipe.to_data(), ran=recipe.to_data())


def _stamp(current: Run, one: Measured) -> bytes:
    store = backend().store
    labels = None if current.clustering is None else np.asarray(current.clustering.labels)
    key = (str(store.root), one.drawn.plan.projection, current.plan.clustering)
    return _stamps.get(key, lambda: draw_thumbnail(
        np.asarray(values.read(values.Projection, store.get(one.drawn.plan.projection)).points),
        labels))

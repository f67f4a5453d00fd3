"""A short rule that says which rows a cluster has, from columns people know: learned as a shallow
tree, kept as conditions, judged on rows it was not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

FEWEST = 5
_FOLDS = 5
_SHORTER = 0.02
"""So much of F1 is given up for a rule of fewer conditions."""
Test = Literal["at least", "at most", "is", "is not", "contains", "does not contain"]


@dataclass(frozen=True)
class Feature:
    """What a condition can ask of n rows. Numbers (float64, NaN missing) where `value` is None;
    else whether column `column` `holds` ('is' or 'contains') this value: 1, 0, NaN missing."""

    column: str
    values: np.ndarray
    value: str | None = None
    holds: Literal["is", "contains"] = "is"


@dataclass(frozen=True)
class Term:
    """One condition; a row whose value is missing meets none."""

    column: str
    test: Test
    number: float | None = None
    text: str | None = None


@dataclass(frozen=True)
class Hits:
    """How a rule did: `right` rows of the cluster it finds, `wrong` ones of others, `lost` rows of
    the cluster it does not find."""

    right: int
    wrong: int
    lost: int

    @property
    def precision(self) -> float | None:
        """Of the rows it finds the share that are of the cluster; None where it finds none."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """Of the cluster's rows the share it finds; None where there are none."""
        there = self.right + self.lost
        return self.right / there if there else None

    @property
    def f1(self) -> float:
        """2 right / (2 right + wrong + lost): 0 where nothing is right."""
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.lost)


@dataclass(frozen=True)
class Rule:
    """The conditions, all of which must hold; `own` on the rows learned from, `crossed` on rows
    kept apart, added up over the folds (None: too few rows to keep some apart)."""

    terms: tuple[Term, ...]
    own: Hits
    crossed: Hits | None
    folds: int


def learn_rule(features: Sequence[Feature], inside: np.ndarray, depth: int, seed: int
               ) -> Rule | None:
    """The rule of at most `depth` conditions with the best F1 for the rows `inside` (n bool): the
    best node of a balanced tree of Gini splits (L. Breiman et al., CART, 1984), the shorter of
    two nearly equal ones. None where no condition parts anything."""
    from sklearn.model_selection import StratifiedKFold

    terms = _learn(features, inside, np.arange(len(inside)), depth, seed)
    if not terms:
        return None
    own = hits(meets(features, terms), inside)
    folds = min(_FOLDS, int(inside.sum()), int((~inside).sum()))
    if folds < 2:
        return Rule(terms, own, None, 0)
    parts = []
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fit, test in split.split(np.zeros(len(inside)), inside):
        learned = _learn(features, inside, fit, depth, seed)
        found = meets(features, learned) if learned else np.zeros(len(inside), dtype=bool)
        parts.append(hits(found[test], inside[test]))
    crossed = Hits(sum(one.right for one in parts), sum(one.wrong for one in parts),
                   sum(one.lost for one in parts))
    return Rule(terms, own, crossed, folds)


def meets(features: Sequence[Feature], terms: Sequence[Term]) -> np.ndarray:
    """n bool: the rows that meet all terms. Each term must be of one of the features."""
    found = np.ones(len(features[0].values), dtype=bool)
    by = {(one.column, one.value, one.holds): one.values for one in features}
    for term in terms:
        if term.number is not None:
            values = by[term.column, None, "is"]
            with np.errstate(invalid="ignore"):
                found &= values >= term.number if term.test == "at least" else values <= term.number
        else:
            holds: Literal["is", "contains"] = "is" if term.test in ("is", "is not") else "contains"
            wanted = 1.0 if term.test in ("is", "contains") else 0.0
            found &= by[term.column, term.text, holds] == wanted
    return found


def hits(found: np.ndarray, inside: np.ndarray) -> Hits:
    """How rows found (n bool) agree with the rows inside (n bool)."""
    right = int((found & inside).sum())
    return Hits(right, int(found.sum()) - right, int(inside.sum()) - right)


def _learn(features: Sequence[Feature], inside: np.ndarray, rows: np.ndarray, depth: int,
           seed: int) -> tuple[Term, ...]:
    """The terms of the best node, learned from these rows; () where none parts anything."""
    from sklearn.tree import DecisionTreeClassifier

    levels = [np.unique(one.values[rows][np.isfinite(one.values[rows])]) for one in features]
    used = [place for place, level in enumerate(levels) if len(level) > 1]
    if not used:
        return ()
    # Trees compare in float32: places in the order lose nothing, values would.
    table = np.column_stack([_ranks(features[place].values[rows], levels[place])
                             for place in used]).astype(np.float32)
    target = inside[rows]
    least = max(2, min(FEWEST, int(target.sum()) // 4))
    tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=least, class_weight="balanced",
                                  random_state=seed).fit(table, target).tree_
    right = tree.decision_path(table).T.tocsr()
    best = 0.0
    terms: tuple[Term, ...] = ()
    for node, splits in _paths(tree):
        there = np.zeros(len(rows), dtype=bool)
        there[right[[node]].indices] = True
        score = hits(there, target).f1
        said = _terms([features[place] for place in used], [levels[place] for place in used],
                      splits)
        gain = score - best
        if gain > (_SHORTER if len(said) > len(terms) and terms else 0):
            best, terms = score, said
    return terms


Splits = tuple[tuple[int, float, bool], ...]


def _paths(tree: Any) -> list[tuple[int, Splits]]:
    """Every node but the first, those near the root first, with the splits that lead to it:
    (feature, place in the order, whether above)."""
    found: list[tuple[int, Splits]] = []
    waiting: list[tuple[int, Splits]] = [(0, ())]
    while waiting:
        node, splits = waiting.pop(0)
        if node:
            found.append((node, splits))
        if tree.children_left[node] >= 0:
            split = int(tree.feature[node]), float(tree.threshold[node])
            waiting.append((int(tree.children_left[node]), (*splits, (*split, False))))
            waiting.append((int(tree.children_right[node]), (*splits, (*split, True))))
    return found


def _ranks(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The place of each value among the levels; the middle one where it is missing."""
    known = np.isfinite(values)
    found = np.full(len(values), (len(levels) - 1) / 2)
    found[known] = np.searchsorted(levels, values[known])
    return found


def _terms(features: Sequence[Feature], levels: Sequence[np.ndarray],
           splits: Splits) -> tuple[Term, ...]:
    """Splits as conditions: of several on one number the tightest from either side; a column that
    is one value is told by that alone."""
    found: dict[tuple[int, bool], Term] = {}
    for place, threshold, above in splits:
        one, level = features[place], levels[place]
        below = int(np.floor(threshold))
        if one.value is not None:
            test: Test = ("is" if above else "is not") if one.holds == "is" else (
                "contains" if above else "does not contain")
            found[place, above] = Term(one.column, test, text=one.value)
            continue
        low, high = float(level[below]), float(level[below + 1])
        found[place, above] = Term(one.column, "at least" if above else "at most",
                                   number=_between(low, high, above))
    known = {term.column for term in found.values() if term.test == "is"}
    return tuple(term for term in found.values()
                 if not (term.test == "is not" and term.column in known))


def _between(low: float, high: float, above: bool) -> float:
    """The roundest number that parts low from high: in (low, high] for 'at least', in [low, high)
    for 'at most'."""
    for digits in range(1, 17):
        for value in (low + (high - low) / 2, high if above else low):
            rounded = float(f"{value:.{digits}g}")
            if (low < rounded <= high) if above else (low <= rounded < high):
                return rounded
    return high if above else low

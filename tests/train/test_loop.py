"""The training loop: the same numbers however it was cut, and what happens when it goes wrong."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from explorer.errors import Cancelled, DataError
from explorer.spec import silent
from explorer.train.loop import split, train
from explorer.train.state import Hooks, Settings, State, Trained

torch = pytest.importorskip("torch")

ROWS = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
SETTINGS = Settings(epochs=8, batch=16, rate=0.01, patience=0, seed=3)


def network() -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return torch.nn.ModuleDict({"encoder": torch.nn.Linear(6, 3),
                                    "decoder": torch.nn.Linear(3, 6)})


def rebuilt(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
    """A denoising objective: it draws from the generator, and `share` is a part of it."""
    noisy = rows + (0.1 + 0.1 * share) * torch.randn(rows.shape, generator=generator)
    return {"loss": (modules["decoder"](modules["encoder"](noisy)) - rows).square().mean()}


class Kept:
    """Hooks that remember; a state is due after every epoch in `due`, or never."""

    def __init__(self, due: bool = False) -> None:
        self.states: list[State] = []
        self.epochs: list[int] = []
        self.hooks = Hooks(save=self.states.append, due=lambda: due,
                           show=lambda modules, standing: self.epochs.append(standing.epoch))


def stop_in(epoch: int, reports: int = 2) -> Any:
    """Progress that stops within that epoch."""
    calls = 0

    def progress(fraction: float, text: str) -> None:
        nonlocal calls
        calls += text.startswith(f"epoch {epoch} ")
        if calls == reports:
            raise Cancelled

    return progress


def same(one: Trained, other: Trained) -> bool:
    assert one.weights.keys() == other.weights.keys()
    for name, array in one.weights.items():
        assert array.tobytes() == other.weights[name].tobytes(), name
    assert one.history.keys() == other.history.keys()
    for name, values in one.history.items():
        assert values.tobytes() == other.history[name].tobytes(), name
    plain = [item.name for item in fields(Trained) if item.name not in ("weights", "history")]
    return all(getattr(one, name) == getattr(other, name) for name in plain)


WHOLE = train(network(), rebuilt, ROWS, SETTINGS, silent)


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    assert same(train(network(), rebuilt, ROWS, SETTINGS, silent), WHOLE)
    other = train(network(), rebuilt, ROWS, replace(SETTINGS, seed=4), silent)
    assert other.weights["encoder.weight"].tobytes() != WHOLE.weights["encoder.weight"].tobytes()


def getting_harder(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
    """What is made small grows with the epochs up to the fifth of eight, and stays."""
    extra = min(1.0, share / 0.5) if modules.training else 1.0
    return {"loss": rebuilt(modules, rows, generator, 0.0)["loss"] + 50 * extra}


def test_while_the_objective_changes_no_early_epoch_is_the_best_and_patience_waits() -> None:
    few = replace(SETTINGS, patience=2)
    assert train(network(), getting_harder, ROWS[:15], few, silent).best_epoch == 1
    found = train(network(), getting_harder, ROWS[:15], replace(few, rising=0.5), silent)
    assert found.best_epoch > 4
    assert len(found.history["train.loss"]) > 5


@pytest.mark.parametrize("epoch", [2, 5, 8])
def test_stopped_within_an_epoch_and_taken_up_it_ends_the_same(epoch: int) -> None:
    kept = Kept()
    with pytest.raises(Cancelled):
        train(network(), rebuilt, ROWS, SETTINGS, stop_in(epoch), kept.hooks)
    assert [state.epoch for state in kept.states] == [epoch - 1]  # nothing whole is lost
    again = train(network(), rebuilt, ROWS, SETTINGS, silent, Kept().hooks, kept.states[0])
    assert same(again, WHOLE)


def test_every_state_on_the_way_leads_to_the_same_end() -> None:
    kept = Kept(due=True)
    assert same(train(network(), rebuilt, ROWS, SETTINGS, silent, kept.hooks), WHOLE)
    assert kept.epochs == [state.epoch for state in kept.states] == list(range(1, 9))
    for state in kept.states:
        assert same(train(network(), rebuilt, ROWS, SETTINGS, silent, None, state), WHOLE)


@pytest.mark.parametrize("last", [1, 3, 7, 8, 20])
def test_stopped_after_an_epoch_however_far_it_had_come(last: int) -> None:
    """The best epoch before and after the stop: the objective is best in epoch 4."""
    def best_in_four(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        loss = rebuilt(modules, rows, generator, share)["loss"]
        return {"loss": loss if modules.training else loss * 0 + abs(share * 8 - 3) + 1}

    settings = replace(SETTINGS, last=last)
    fresh = train(network(), best_in_four, ROWS, settings, silent)
    assert fresh.epochs == min(last, 8)
    assert fresh.ended == ("stopped" if last < 8 else "all epochs")
    assert fresh.best_epoch == min(last, 4)
    kept = Kept(due=True)
    train(network(), best_in_four, ROWS, SETTINGS, silent, kept.hooks)
    for state in kept.states:
        assert same(train(network(), best_in_four, ROWS, settings, silent, None, state), fresh)


def test_no_progress_ends_it_with_the_best_weights() -> None:
    def worse(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        loss = rebuilt(modules, rows, generator, share)["loss"]
        return {"loss": loss if modules.training else loss * 0 + share}

    kept = Kept(due=True)
    found = train(network(), worse, ROWS, replace(SETTINGS, patience=3), silent, kept.hooks)
    assert (found.best_epoch, found.epochs, found.ended) == (1, 4, "no progress")
    assert found.weights["encoder.weight"].tobytes() == (
        kept.states[0].weights["encoder.weight"].tobytes())
    assert "No better loss for 3 epochs: stopped after epoch 4." in found.notes
    over = train(network(), worse, ROWS, replace(SETTINGS, patience=3), silent, None,
                 kept.states[-1])
    assert same(over, found)


@pytest.mark.parametrize("where", ["loss", "gradient", "rows held back"])
def test_not_finite_in_epoch_four_keeps_the_weights_before(where: str) -> None:
    def spoilt(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        loss = rebuilt(modules, rows, generator, share)["loss"]
        if share < 3 / 8 or modules.training == (where == "rows held back"):
            return {"loss": loss}
        if where == "gradient":  # the loss is finite, sqrt at 0 has no slope
            return {"loss": loss + (modules["encoder"].weight * 0).sum().sqrt()}
        return {"loss": loss * float("nan")}

    kept = Kept(due=True)
    found = train(network(), spoilt, ROWS, SETTINGS, silent, kept.hooks)
    assert (found.ended, found.epochs) == ("not finite", 3)
    assert any("epoch 4" in note for note in found.notes)
    assert all(np.isfinite(array).all() for array in found.weights.values())
    assert all(np.isfinite(values).all() for values in found.history.values())
    good = kept.states[found.best_epoch - 1]
    assert good.weights["encoder.weight"].tobytes() == found.weights["encoder.weight"].tobytes()
    assert kept.epochs == [1, 2, 3]
    assert same(train(network(), spoilt, ROWS, SETTINGS, silent, None, kept.states[-1]), found)


def test_not_finite_in_the_first_epoch_is_refused() -> None:
    with pytest.raises(DataError) as refused:
        train(network(), lambda *_: {"loss": torch.tensor(float("inf"), requires_grad=True)},
              ROWS, SETTINGS, silent)
    assert refused.value.code == "NOT_FINITE"
    assert "epoch 1" in refused.value.message


def greedy(most: int) -> Any:
    """Asks PyTorch for more memory than there is when a batch has more rows."""
    def objective(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        if len(rows) > most:
            torch.empty(2**48, dtype=torch.float64)
        return rebuilt(modules, rows, generator, share)

    return objective


def test_without_memory_the_batch_is_halved_and_it_is_said() -> None:
    kept = Kept(due=True)
    found = train(network(), greedy(5), ROWS, SETTINGS, silent, kept.hooks)
    assert found.epochs == 8
    assert {state.batch for state in kept.states} == {4}
    assert [note for note in found.notes if "halved" in note] == [
        "Memory did not suffice for the batch: it was halved to 8 rows in epoch 1.",
        "Memory did not suffice for the batch: it was halved to 4 rows in epoch 1."]
    again = train(network(), greedy(5), ROWS, SETTINGS, silent, None, kept.states[2])
    assert same(again, found)
    with pytest.raises(DataError) as refused:
        train(network(), greedy(1), ROWS, SETTINGS, silent)
    assert refused.value.code == "NO_MEMORY"
    with pytest.raises(DataError) as refused:
        train(network(), greedy(5), ROWS, replace(SETTINGS, smallest_batch=8), silent)
    assert "batch of 8 rows" in refused.value.message


def test_other_errors_are_not_taken_for_memory() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        train(network(), rebuilt, ROWS[:, :5], SETTINGS, silent)


@pytest.mark.parametrize(("n", "batch", "least", "seen"), [
    (50, 16, 1, {16, 13, 5}), (50, 16, 8, {16}), (50, 2, 8, {8}), (3, 16, 1, {3}),
    (2, 16, 1, {2}), (50, 64, 1, {45, 5})])
def test_the_sizes_of_batches(n: int, batch: int, least: int, seen: set[int]) -> None:
    sizes: set[int] = set()

    def counted(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        sizes.add(len(rows))
        return rebuilt(modules, rows, generator, share)

    train(network(), counted, ROWS[:n], replace(SETTINGS, epochs=2, batch=batch,
                                                smallest_batch=least), silent)
    assert sizes == seen


def test_rows_held_back_are_never_trained_on() -> None:
    taught: set[bytes] = set()

    def watched(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        if modules.training:
            taught.update(row.numpy().tobytes() for row in rows)
        return rebuilt(modules, rows, generator, share)

    train(network(), watched, ROWS, replace(SETTINGS, epochs=2), silent)
    training, held = split(50, SETTINGS.validation, SETTINGS.seed)
    assert sorted([*training, *held]) == list(range(50))
    assert len(held) == 5
    assert taught == {ROWS[place].tobytes() for place in training}
    assert len(split(19, 0.1, 0)[1]) == 0
    assert len(split(30, 0.1, 0, least=4)[1]) == 0
    assert len(split(10**5, 0.1, 0)[1]) == 2_000


def test_progress_rises_within_epochs_and_names_them() -> None:
    told: list[tuple[float, str]] = []
    train(network(), rebuilt, ROWS, SETTINGS, lambda *report: told.append(report))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(told) >= 8 * 3
    assert told[-1][1].startswith("epoch 8 of 8, loss ")
    assert "on rows held back" in told[-1][1]


def test_a_state_of_another_network_is_as_good_as_none() -> None:
    kept = Kept(due=True)
    wider = torch.nn.ModuleDict({"encoder": torch.nn.Linear(6, 4),
                                 "decoder": torch.nn.Linear(4, 6)})
    train(wider, rebuilt, ROWS, SETTINGS, silent, kept.hooks)
    assert same(train(network(), rebuilt, ROWS, SETTINGS, silent, None, kept.states[3]), WHOLE)


def test_a_gradient_that_is_not_finite_never_reaches_the_weights() -> None:
    """One batch and no rows held back: no later loss would tell of it."""
    def steep(modules: Any, rows: Any, generator: Any, share: float) -> dict[str, Any]:
        loss = rebuilt(modules, rows, generator, share)["loss"]
        at_zero = (modules["encoder"].weight * 0).sum()
        return {"loss": loss if share < 3 / 8 else loss * 0 + at_zero.sqrt()}

    found = train(network(), steep, ROWS[:12], SETTINGS, silent)
    assert (found.ended, found.epochs) == ("not finite", 3)
    assert all(np.isfinite(array).all() for array in found.weights.values())

"""One training loop for every network: epochs over shuffled batches, the best weights kept.

Everything random is drawn from generators named by the seed and the epoch, and nothing else carries
over from one epoch to the next but weights, optimiser and history: a training that was stopped
after any epoch and taken up again ends with the same numbers to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from explorer.errors import Cancelled, DataError, StoreError
from explorer.spec import Progress
from explorer.train.device import Rows, device, mixed, note_of, repeatable
from explorer.train.draws import seed_of, split
from explorer.train.memory import is_no_memory
from explorer.train.state import Hooks, Objective, Settings, Standing, State, Trained
from explorer.train.weights import fits, read_moments, read_weights, write_moments, write_weights

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["split", "train"]

_CLIP = 5.0
_WARM = 0.05
"""The share of all steps over which the rate rises from 0; after it, half a cosine to 0."""


@dataclass
class _Best:
    loss: float = math.inf
    epoch: int = 0
    weights: dict[str, np.ndarray] = field(default_factory=dict)


def train(modules: nn.ModuleDict, objective: Objective, rows: np.ndarray, settings: Settings,
          progress: Progress, hooks: Hooks | None = None, start: State | None = None) -> Trained:
    """Train on n rows (float32, n x ...). `start`: a state to go on from; one of another network is
    as good as none.

    A part of the rows is held back and never trained on; the weights kept are those of the epoch
    with the smallest loss on it (of the training rows where none are held back). Numbers that are
    not finite end the training with the best weights so far; in the first epoch that is DataError
    NOT_FINITE. Where memory does not suffice for a batch it is halved; DataError NO_MEMORY when the
    smallest does not fit. Cancelled keeps a state of the last whole epoch first.
    """
    loop = _Loop(modules, objective, rows, settings, start)
    try:
        with repeatable(loop.device):
            return _run(loop, settings, progress, hooks)
    except (Cancelled, KeyboardInterrupt):
        if hooks is not None and loop.kept is not None:
            with suppress(StoreError):  # it is stopped all the same; the state before is there
                hooks.save(loop.kept)
        raise


def _run(loop: _Loop, settings: Settings, progress: Progress, hooks: Hooks | None) -> Trained:
    ended = loop.ended
    while not ended and loop.epoch < settings.epochs:
        epoch = loop.epoch + 1
        said = f"epoch {epoch:,} of {settings.epochs:,}{loop.told()}"
        finite = loop.run_epoch(partial(_in_epoch, progress, loop.epoch, settings.epochs, said))
        if not finite:
            if not loop.best.epoch:
                raise DataError("NOT_FINITE", "The loss must be a finite number, got another in "
                                              f"epoch {epoch}.",
                                hint="Use a smaller learning rate, or scale the columns.")
            ended = "not finite"
        elif settings.patience and loop.epoch - loop.waits_from >= settings.patience:
            ended = "no progress"
        elif settings.last is not None and loop.epoch >= settings.last < settings.epochs:
            ended = "stopped"
        if hooks is not None:
            loop.kept = loop.state(ended)
            if finite:
                hooks.show(loop.modules, loop.standing())
            if ended or hooks.due():
                hooks.save(loop.kept)
    return loop.result(ended or "all epochs")


def _in_epoch(progress: Progress, done: int, epochs: int, said: str, share: float) -> None:
    progress((done + share) / epochs, said)


class _Loop:
    def __init__(self, modules: nn.ModuleDict, objective: Objective, rows: np.ndarray,
                 settings: Settings, start: State | None) -> None:
        import torch

        self.modules = modules
        self.objective = objective
        self.settings = settings
        self.device = device()
        modules.to(self.device)
        self.rows = Rows(rows, self.device)
        self.training, self.held = split(len(rows), settings.validation, settings.seed,
                                         settings.smallest_batch)
        self.optimizer = torch.optim.AdamW(modules.parameters(), lr=settings.rate,
                                           weight_decay=settings.decay)
        self.batch = min(max(settings.batch, settings.smallest_batch), len(self.training))
        self.epoch = 0
        self.history: dict[str, list[float]] = {}
        self.best = _Best()
        self.notes: list[str] = []
        self.ended = ""
        self.kept: State | None = None
        if start is not None and fits(modules, start.weights):
            self._take_up(start)

    @property
    def waits_from(self) -> int:
        """The epoch from which patience counts."""
        return max(self.best.epoch, int(self.settings.rising * self.settings.epochs))

    def told(self) -> str:
        """The last losses, for the progress line."""
        if not self.history.get("train.loss"):
            return ""
        said = f", loss {self.history['train.loss'][-1]:.4g}"
        if "validation.loss" in self.history:
            said += f", on rows held back {self.history['validation.loss'][-1]:.4g}"
        return said

    def run_epoch(self, progress: Callable[[float], None]) -> bool:
        """One pass over the training rows and a look at the rows held back. False when a number was
        not finite: then the epoch is not counted."""
        trained = self._pass(progress)
        held = self._look(progress) if trained is not None and len(self.held) else {}
        if trained is None or held is None:
            return False
        for what, parts in (("train", trained), ("validation", held)):
            for name, value in parts.items():
                self.history.setdefault(f"{what}.{name}", []).append(value)
        self.epoch += 1
        judged = (held or trained)["loss"]
        # Losses of rows trained on cannot be compared while the objective changes.
        newest = not held and self.epoch - 1 <= self.settings.rising * self.settings.epochs
        if judged < self.best.loss or newest:
            self.best = _Best(judged, self.epoch, read_weights(self.modules))
        return True

    def _pass(self, progress: Callable[[float], None]) -> dict[str, float] | None:
        """The parts, each the mean over the rows trained on; None when one is not finite."""
        import torch

        order = np.random.default_rng((self.settings.seed, self.epoch, 1)).permutation(
            self.training)
        generator = torch.Generator().manual_seed(seed_of(self.settings.seed, self.epoch, 2))
        sums: dict[str, float] = {}
        self.modules.train()
        done = 0
        while done < len(order):
            batch = np.sort(order[done:done + self.batch])
            if len(batch) < self.settings.smallest_batch and done:
                break  # a last batch too small to compare rows within it
            self._set_rate((self.epoch + done / len(order)) / self.settings.epochs)
            try:
                parts = self._step(batch, generator)
            except (MemoryError, RuntimeError) as error:
                if not is_no_memory(error):
                    raise
                short = True
            else:
                short = False
            if short:  # not in the handler: the error holds what the step had in memory
                self._halve()
                continue
            if parts is None:
                return None
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + value * len(batch)
            done += len(batch)
            progress(done / len(order))
        return {name: value / done for name, value in sums.items()}

    def _step(self, batch: np.ndarray, generator: torch.Generator) -> dict[str, float] | None:
        import torch

        self.optimizer.zero_grad(set_to_none=True)
        with mixed(self.device):
            parts = self.objective(self.modules, self.rows.take(batch), generator,
                                   self.epoch / self.settings.epochs)
        values = {name: float(part.detach()) for name, part in parts.items()}
        if not all(map(math.isfinite, values.values())):
            return None
        parts["loss"].backward()  # type: ignore[no-untyped-call]
        length = torch.nn.utils.clip_grad_norm_(self.modules.parameters(), _CLIP)
        if not math.isfinite(float(length)):
            return None  # one step of it would make every weight NaN
        self.optimizer.step()
        return values

    def _look(self, progress: Callable[[float], None]) -> dict[str, float] | None:
        """The parts on the rows held back: the same random numbers after every epoch, so that the
        epochs can be compared; None when one is not finite."""
        import torch

        generator = torch.Generator().manual_seed(seed_of(self.settings.seed, 0, 3))
        sums: dict[str, float] = {}
        self.modules.eval()
        done = 0
        while done < len(self.held):
            batch = self.held[done:done + self.batch]
            if len(batch) < self.settings.smallest_batch and done:
                break
            # Gradients stay on: the contractive term needs them here too.
            with mixed(self.device):
                parts = self.objective(self.modules, self.rows.take(batch), generator,
                                       self.epoch / self.settings.epochs)
            for name, part in parts.items():
                sums[name] = sums.get(name, 0.0) + float(part.detach()) * len(batch)
            done += len(batch)
            progress(1.0)
        means = {name: value / done for name, value in sums.items()}
        return means if all(map(math.isfinite, means.values())) else None

    def _set_rate(self, share: float) -> None:
        warm = min(1.0, share / _WARM) if share < _WARM else 1.0
        wave = 0.5 * (1 + math.cos(math.pi * max(0.0, share - _WARM) / (1 - _WARM)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rate * max(warm, 0.02) * (wave if warm == 1.0 else 1.0)

    def _halve(self) -> None:
        import torch

        least = max(2, self.settings.smallest_batch)
        if self.batch // 2 < least:
            raise DataError("NO_MEMORY", f"Training must have memory for a batch of {least} rows, "
                                         "got less.",
                            hint="Use a smaller network or smaller images.")
        self.batch //= 2
        self.optimizer.zero_grad(set_to_none=True)
        if self.device != "cpu":
            torch.cuda.empty_cache()
        self.notes.append(f"Memory did not suffice for the batch: it was halved to {self.batch:,} "
                          f"rows in epoch {self.epoch + 1:,}.")

    def state(self, ended: str) -> State:
        """Where it stands, to go on from."""
        return State(epoch=self.epoch, batch=self.batch,
                     history={name: list(values) for name, values in self.history.items()},
                     weights=read_weights(self.modules), best=self.best.weights,
                     moments=read_moments(self.optimizer), best_epoch=self.best.epoch,
                     ended=ended if ended != "stopped" else "", notes=tuple(self.notes))

    def standing(self) -> Standing:
        """Where it stands, for whoever looks on."""
        return Standing(self.epoch, self.best.epoch, self.history, self.batch)

    def _take_up(self, start: State) -> None:
        last = self.settings.last
        beyond = last is not None and start.epoch > last
        if beyond and start.best_epoch > (last or 0):
            return  # the weights of then are gone: from the beginning it is the same training
        write_weights(self.modules, start.weights)
        write_moments(self.optimizer, start.moments)
        self.epoch, self.batch = start.epoch, start.batch
        self.history = {name: list(values) for name, values in start.history.items()}
        if start.best_epoch:
            name = "validation.loss" if "validation.loss" in self.history else "train.loss"
            self.best = _Best(self.history[name][start.best_epoch - 1], start.best_epoch,
                              start.best)
        self.notes = list(start.notes)
        self.ended = start.ended
        if last is not None and last < self.settings.epochs and (
                beyond or (self.epoch == last and not self.ended)):
            self.epoch, self.ended = last, "stopped"
            self.history = {name: list(values[:last]) for name, values in self.history.items()}

    def result(self, ended: str) -> Trained:
        """The best weights, and what to know about them."""
        said = {"no progress": f"No better loss for {self.settings.patience:,} epochs: stopped "
                               f"after epoch {self.epoch:,}.",
                "stopped": f"Stopped by hand after epoch {self.epoch:,} of "
                           f"{self.settings.epochs:,}.",
                "not finite": f"Numbers of epoch {self.epoch + 1:,} were not finite (the loss or "
                              "its gradient): training ended there."}
        notes = [*note_of(self.device), *self.notes, *filter(None, [said.get(ended, "")])]
        notes.append(f"The weights kept are those of epoch {self.best.epoch:,}, with the smallest "
                     "loss on " + (f"{len(self.held):,} rows held back."
                                   if len(self.held) else "all rows: too few to hold any back."))
        history = {name: np.array(values, dtype=np.float64)
                   for name, values in self.history.items()}
        return Trained(weights=self.best.weights, history=history, best_epoch=self.best.epoch,
                       ended=ended, notes=tuple(notes))

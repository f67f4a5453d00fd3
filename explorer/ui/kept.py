"""What all sessions share because it depends on stored content alone: bounded, made once.

Stored results never change, so what is made of them can be shared under a key that names all of
its content. A session keeps its choices only: fifty people on one map hold one map. Never
st.cache_data, which hashes data by samples.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """The values used last, at most `budget` by the sum of what `weigh` says (default: 1 each).

    Safe for many threads: a value asked for by several at once is made by one of them while the
    others wait. A failure is raised to all who waited and not kept. Values must not be changed.
    """

    def __init__(self, budget: int, weigh: Callable[[V], int] = lambda value: 1) -> None:
        self._budget = budget
        self._weigh = weigh
        self._guard = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._making: dict[Hashable, Future[V]] = {}
        self.weight = 0
        """The sum of what is held now."""

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of that key, made by `make` where it is not held."""
        while True:
            with self._guard:
                found = self._held.get(key)
                if found is not None:
                    self._held.move_to_end(key)
                    return found[0]
                making = self._making.get(key)
                if making is None:
                    making = self._making[key] = Future()
                    break
            try:
                return making.result()
            except _Abandoned:
                continue  # whoever made it was stopped: that says nothing about the value
        try:
            value = make()
        except Exception as error:
            self._give_up(key, making, error)
            raise
        except BaseException:  # Streamlit stops a script by such a one
            self._give_up(key, making, _Abandoned())
            raise
        self._hold(key, value)
        making.set_result(value)
        return value

    def holds(self, key: Hashable) -> bool:
        """Whether a value of that key is there without being made."""
        with self._guard:
            return key in self._held

    def find(self, key: Hashable) -> V | None:
        """The value of that key where it is held."""
        with self._guard:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def clear(self) -> None:
        """Let go of everything."""
        with self._guard:
            self._held.clear()
            self.weight = 0

    def _hold(self, key: Hashable, value: V) -> None:
        weight = self._weigh(value)
        with self._guard:
            del self._making[key]
            self._held[key] = (value, weight)
            self.weight += weight
            while self.weight > self._budget and len(self._held) > 1:
                _, (_, freed) = self._held.popitem(last=False)
                self.weight -= freed

    def _give_up(self, key: Hashable, making: Future[V], error: Exception) -> None:
        with self._guard:
            del self._making[key]
        making.set_exception(error)


class _Abandoned(Exception):
    """The thread that made a value was stopped before it had one."""

"""Law 9: whatever happens in whatever order, the records tell the truth and turns are fair."""

import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from explorer.engine_queue import Queue
from explorer.errors import JobError
from explorer.jobs import Jobs, Step

OWNERS = ("ann", "bob", "eve")
NEEDS = {"a": (), "b": ("a",), "c": ("a", "b"), "d": (), "e": (), "f": (), "g": ()}
LANES = {key: "host" if key in "fg" else "worker" for key in NEEDS}
KEYS = st.lists(st.sampled_from(sorted(NEEDS)), min_size=1, max_size=4, unique=True)
FINAL = ("done", "failed", "cancelled", "interrupted")


class QueueMachine(RuleBasedStateMachine):
    """Two pages' Jobs and one engine's Queue on one file; the engine dies and comes back."""

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        self.pages = [Jobs(self.home), Jobs(self.home)]
        self.flights, self.fractions, self.served, self.turn = {}, {}, {}, 0
        self.asked, self.stuck = set(), set()
        self.clock = patch.object(time, "time", self.wall)
        self.offset, self.true_time = 0.0, time.time
        self.clock.start()
        self.start_engine()

    def teardown(self):
        if hasattr(self, "clock"):
            self.clock.stop()
            self.folder.cleanup()

    def wall(self):
        return self.true_time() + self.offset

    def start_engine(self):
        self.queue = Queue(self.home)
        self.queue.boot()
        self.queue.beat(ready=True)
        self.flights.clear()
        self.asked.clear()
        self.stuck.clear()

    def views(self):
        return self.pages[0].views(list(NEEDS))

    @rule(keys=KEYS, owner=st.sampled_from(OWNERS), page=st.integers(0, 1))
    def submit(self, keys, owner, page):
        known = set(self.views()) | set(keys)
        steps = [Step(key, "test", key, "steps:write", {},
                      after=tuple(need for need in NEEDS[key] if need in known), lane=LANES[key])
                 for key in keys]
        self.pages[page].submit(steps, owner)

    @rule(keys=KEYS, owner=st.sampled_from(OWNERS), page=st.integers(0, 1))
    def cancel(self, keys, owner, page):
        before = self.views()
        self.pages[page].cancel(keys, owner)
        for key, view in self.views().items():
            assert view.state == before[key].state or (key in keys and view.state == "cancelled")

    @rule(workers=st.integers(0, 2), hosts=st.integers(0, 1))
    def take(self, workers, hosts):
        free = {"worker": workers, "host": hosts}
        self.queue.settle()
        with self.queue._database.reading() as connection:
            wanted = {}
            for row in connection.execute("SELECT key, owner FROM owners WHERE wants = 1"):
                wanted.setdefault(row["key"], set()).add(row["owner"])
        views = self.views()
        can = {key for key, view in views.items() if view.state == "queued"
               and key not in self.stuck
               and all(views[need].state == "done" for need in NEEDS[key] if need in views)}
        for order in self.queue.take(free, {*self.flights, *self.stuck}):
            assert order.key not in {*self.flights, *self.stuck}, "two runs of one job"
            fit = {key for key in can if free[LANES[key]] > 0}
            waiting = {owner for key in fit for owner in wanted[key]}
            first = min(self.served.get(owner, 0) for owner in waiting)
            assert first in {self.served.get(owner, 0) for owner in wanted[order.key]}
            self.turn += 1
            self.served.update(dict.fromkeys(wanted[order.key], self.turn))
            assert order.attempt <= 2
            free[order.lane] -= 1
            can.discard(order.key)
            self.flights[order.key] = order
            self.fractions[order.token] = 0.0
        assert not any(free[LANES[key]] > 0 for key in can), "a free worker and a job that can run"

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), fraction=st.floats(0, 1))
    def report(self, data, fraction):
        key = data.draw(st.sampled_from(sorted(self.flights)))
        self.queue.report({key: (fraction, "on")})

    @precondition(lambda self: self.flights)
    @rule(data=st.data(), state=st.sampled_from(["done", "failed", "cancelled", "dead"]))
    def end(self, data, state):
        """As the loop ends attempts: cancelled only when asked to stop, dead ones twice at most."""
        key = data.draw(st.sampled_from(sorted(self.flights)))
        order = self.flights.pop(key)
        if key in self.asked:
            state = "cancelled"
            self.asked.discard(key)
        elif state == "cancelled":
            state = "done"
        error = JobError("STEP_FAILED", "It failed.") if state in ("failed", "dead") else None
        if state == "dead" and order.attempt < 2:
            self.queue.again(key, "Second attempt.")
        else:
            self.queue.end(key, "failed" if state == "dead" else state, error, 0.1)
        with self.queue._database.reading() as connection:
            wanted = connection.execute("SELECT 1 FROM owners WHERE key = ? AND wants = 1", (key,))
            assert (self.views()[key].state == "queued") == (wanted.fetchone() is not None)

    @rule()
    def ask_to_stop(self):
        """The loop asks; whoever wants the job again afterwards comes too late for this attempt."""
        self.asked |= self.queue.stops() & self.flights.keys()

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def lose_patience(self, data):
        """A thread that does not stop: its record is closed, it goes on."""
        key = data.draw(st.sampled_from(sorted(self.asked)))
        self.asked.discard(key)
        del self.flights[key]
        self.stuck.add(key)
        self.queue.end(key, "cancelled", None, 0.0)

    @rule()
    def kill_engine(self):
        running = [key for key, view in self.views().items() if view.state == "running"]
        self.start_engine()
        views = self.views()
        assert all(views[key].state == "interrupted" for key in running)

    @rule()
    def leave_in_order(self):
        self.queue.leave("")
        assert not self.pages[0].engine_alive()
        self.start_engine()

    @rule(offset=st.sampled_from([-3.2e7, 0.0, 3600.0, 3.2e7]))
    def set_clock(self, offset):
        self.offset = offset

    @invariant()
    def records_are_true(self):
        if not hasattr(self, "queue"):
            return
        views = self.views()
        assert {key for key, view in views.items() if view.state == "running"} == set(self.flights)
        assert self.pages[1].engine_alive()
        for key, view in views.items():
            assert view.attempts <= 2
            assert 0 <= view.elapsed < 600
            assert (view.error is not None) == (view.state in ("failed", "interrupted"))
            if key in self.flights:
                token = self.flights[key].token
                assert view.fraction >= self.fractions[token]
                self.fractions[token] = view.fraction


@given(jobs=st.lists(st.tuples(st.sampled_from(OWNERS), st.booleans()), min_size=4, max_size=16))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_whoever_waits_longest_for_a_turn_is_next(jobs):
    """Jobs of three people, some of them waiting for a step that goes on and on."""
    with tempfile.TemporaryDirectory() as folder:
        page, queue = Jobs(Path(folder)), Queue(Path(folder))
        long = Step("long", "test", "long", "steps:hang", {})
        page.submit([long], "zoe")
        assert queue.take({"worker": 1})[0].key == "long"
        left = {}
        for number, (owner, blocked) in enumerate(jobs):
            after = ("long",) if blocked else ()
            page.submit([Step(f"{number}", "test", "", "steps:write", {}, after)], owner)
            if not blocked:
                left.setdefault(owner, []).append(f"{number}")
        served = dict.fromkeys(OWNERS, 0)
        for turn in range(1, 1 + sum(map(len, left.values()))):
            key = queue.take({"worker": 1})[0].key
            owner = next(owner for owner, keys in left.items() if key in keys)
            assert served[owner] == min(served[other] for other in left)
            assert key == left[owner].pop(0), "oldest first"
            left = {other: keys for other, keys in left.items() if keys}
            served[owner] = turn
            queue.end(key, "done", None, 0.0)
        assert not queue.take({"worker": 1})


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=25, stateful_step_count=30, deadline=None,
                              derandomize=True,
                              phases=[phase for phase in Phase if phase is not Phase.shrink])

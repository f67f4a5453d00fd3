"""What all sessions share: bounded, made once, and only what content alone decides."""

import socket
import sys
import threading
import time

import pytest

from explorer.ui.kept import Kept
from explorer.ui.wire import send_at_once, take_short_turns


def test_a_value_is_made_once_however_many_ask_at_the_same_time():
    kept, made, got = Kept(10), [], []

    def make():
        made.append(threading.get_ident())
        time.sleep(0.05)
        return object()
    threads = [threading.Thread(target=lambda: got.append(kept.get("a", make))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(got) == 20
    assert len(set(map(id, got))) == 1


def test_it_stays_within_its_budget_and_forgets_what_was_used_longest_ago():
    kept = Kept(100, len)
    for name in "abc":
        kept.get(name, lambda name=name: name * 40)
    assert [kept.holds(name) for name in "abc"] == [False, True, True]
    kept.get("b", lambda: pytest.fail("it was there"))
    kept.get("d", lambda: "d" * 40)
    assert [kept.holds(name) for name in "bcd"] == [True, False, True]
    assert kept.weight == 80
    assert kept.get("huge", lambda: "h" * 500) == "h" * 500  # one too large is given all the same
    assert kept.weight == 500
    kept.get("e", lambda: "e")
    assert kept.weight == 1


def test_a_failure_is_told_to_all_and_not_kept():
    kept, errors = Kept(10), []
    started = threading.Event()

    def fail():
        started.set()
        time.sleep(0.05)
        raise ValueError("no")

    def ask():
        try:
            kept.get("a", fail)
        except ValueError as error:
            errors.append(str(error))
    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
        started.wait()
    for thread in threads:
        thread.join()
    assert errors == ["no"] * 5
    assert kept.get("a", lambda: 3) == 3


def test_whoever_waits_for_a_stopped_script_makes_the_value_itself():
    """Streamlit stops a script with an exception that is no Exception."""
    class Stopped(BaseException):
        pass
    kept, got = Kept(10), []
    waiting, asked = threading.Event(), []

    def stop():
        waiting.wait(5)
        time.sleep(0.05)
        raise Stopped

    def first():
        with pytest.raises(Stopped):
            kept.get("a", stop)
        asked.append("first")
    one = threading.Thread(target=first)
    one.start()
    two = threading.Thread(target=lambda: (waiting.set(), got.append(kept.get("a", lambda: 7))))
    two.start()
    one.join()
    two.join()
    assert got == [7]
    assert asked == ["first"]


def test_answers_leave_at_once_and_do_not_wait_for_an_acknowledgement():
    """Bound as Streamlit binds: asyncio then leaves Nagle's algorithm on."""
    with socket.socket(family=socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        for wanted in (False, True):
            if wanted:
                assert send_at_once() >= 1
            with socket.create_connection(listener.getsockname()):
                accepted, _ = listener.accept()
                with accepted:
                    said = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert bool(said) is wanted


def test_turns_are_short_but_never_longer_than_somebody_set():
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        take_short_turns()
        assert sys.getswitchinterval() < 0.001
        sys.setswitchinterval(0.0001)
        take_short_turns()
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    finally:
        sys.setswitchinterval(before)

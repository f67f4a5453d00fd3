"""What the server process needs to hold many sessions at once."""

from __future__ import annotations

import resource
import socket
import sys

import psutil

_TURN_SECONDS = 0.0005
_HANDLES = 16_384


def prepare_for_many() -> None:
    """Called once, when the server's socket is bound and before the first visitor."""
    send_at_once()
    take_short_turns()
    allow_handles()


def send_at_once() -> int:
    """Turn off Nagle's algorithm for connections still to come; returns on how many listeners.

    asyncio does so only for sockets that name their protocol, and Streamlit (1.67) binds its own
    without: the last small frame of every answer then waits 40 ms for the browser's delayed
    acknowledgement. Accepted sockets inherit the option.
    """
    listening = [found for found in psutil.Process().net_connections(kind="tcp")
                 if found.status == psutil.CONN_LISTEN and found.fd >= 0]
    for found in listening:
        with socket.fromfd(found.fd, found.family, found.type) as listener:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return len(listening)


def take_short_turns() -> None:
    """Let waiting threads have the interpreter after half a millisecond instead of five.

    A script wakes the event loop for each of its 30 to 90 elements and then waits for its turn;
    while another session draws a figure every such wait is as long as a turn.
    """
    sys.setswitchinterval(min(_TURN_SECONDS, sys.getswitchinterval()))


def allow_handles() -> None:
    """Raise the soft limit of open files as far as the hard one allows: a session holds three
    handles and its connection, also for a while after the tab was closed, and many systems stop at
    1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _HANDLES if hard == resource.RLIM_INFINITY else min(_HANDLES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

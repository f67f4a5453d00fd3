"""Who may reach this server and how much they may bring: read once from the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.errors import ParameterError, Where

_SESSION_BYTES, _TOTAL_BYTES = 1_000_000_000, 4_000_000_000


@dataclass(frozen=True)
class Access:
    """`public`: people beyond this machine may come; `demo`: nobody uploads. The bytes are those of
    uploads the server holds in memory before they are read: for one tab and for all together."""

    public: bool = False
    demo: bool = False
    session_bytes: int = _SESSION_BYTES
    total_bytes: int = _TOTAL_BYTES

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Access:
        """EXPLORER_PUBLIC, EXPLORER_DEMO (1 or 0), EXPLORER_SESSION_UPLOAD_BYTES and
        EXPLORER_TOTAL_UPLOAD_BYTES. Raises ParameterError OUT_OF_RANGE for what is neither."""
        return cls(public=_switch("EXPLORER_PUBLIC", environment),
                   demo=_switch("EXPLORER_DEMO", environment),
                   session_bytes=_bytes("EXPLORER_SESSION_UPLOAD_BYTES", environment,
                                        _SESSION_BYTES),
                   total_bytes=_bytes("EXPLORER_TOTAL_UPLOAD_BYTES", environment, _TOTAL_BYTES))

    def refusal(self, address: str | None) -> str:
        """Why the server must not start listening on `address` (None: on all); '' when it may."""
        if self.public or is_local(address):
            return ""
        where = f"on {address}" if address else "on every address"
        return (f"Embedding Explorer was asked to listen {where}, where others can reach it, but "
                "it has no login of its own: whoever comes can read, change and fill everything.\n"
                "Either listen on this machine only (--server.address 127.0.0.1), or put a login "
                "in front as SECURITY.md shows and start it with EXPLORER_PUBLIC=1.")

    def caution(self, address: str | None) -> str:
        """What to say at the start of a server that others can reach; '' when they cannot."""
        if not self.public or is_local(address):
            return ""
        return ("EXPLORER_PUBLIC=1: this server answers beyond this machine and asks nobody who "
                "they are. Let only a proxy with a login reach it; SECURITY.md has one.")


def is_local(address: str | None) -> bool:
    """Whether only this machine can reach a server at that address (a path is a local socket)."""
    if not address:
        return False
    if address.startswith("/") or address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _switch(name: str, environment: Mapping[str, str]) -> bool:
    given = environment.get(name, "0")
    if given not in ("0", "1", ""):
        raise ParameterError("OUT_OF_RANGE", f"{name} must be 1 or 0, got {given!r}.",
                             Where(parameter=name))
    return given == "1"


def _bytes(name: str, environment: Mapping[str, str], default: int) -> int:
    given = environment.get(name, "") or str(default)
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise ParameterError("OUT_OF_RANGE", f"{name} must be a whole number of bytes, "
                                             f"got {given!r}.", Where(parameter=name))
    return int(given)

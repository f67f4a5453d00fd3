"""What people have made and computed here, as commands: backups, tidy."""

from __future__ import annotations

import argparse
import datetime

from explorer.backups import KEPT, back_up, list_backups
from explorer.cli_flags import Parser
from explorer.cli_write import Meter, say, table
from explorer.disk import size_in_words
from explorer.load.limits import size_of
from explorer.restore import restore
from explorer.store import home
from explorer.tidy import store_quota, tidy


def add_commands(commands: argparse._SubParsersAction[Parser]) -> None:
    """backups, tidy."""
    parser = commands.add_parser(
        "backups", help="copies of the workspace file: list, make, bring back",
        description=f"The server keeps the last {KEPT} copies of the workspace file, made at its "
                    "start and every hour in which something was changed.")
    parser.set_defaults(run=_list)
    inner = parser.add_subparsers(metavar="ACTION", parser_class=Parser)
    make = inner.add_parser("make", help="make a copy now, if something has changed")
    make.set_defaults(run=_make)
    back = inner.add_parser("restore", help="bring back a copy; what is there now is kept aside")
    back.add_argument("name", metavar="NAME", help="as `explorer backups` lists it")
    back.add_argument("--workspace", metavar="ID", help="only this workspace (the w= of its link)")
    back.set_defaults(run=_restore)
    parser = commands.add_parser(
        "tidy", help="remove stored results nobody uses",
        description="Removes leftovers of killed processes and, above the limit, results to which "
                    "no workspace refers and which nobody used for a day, the longest unused "
                    "first. What was removed is computed again when it is asked for.")
    parser.add_argument("--limit", metavar="SIZE",
                        help="bytes all results may have, such as 50GB [default: "
                             "EXPLORER_STORE_BYTES, else no limit]")
    parser.add_argument("--trial", action="store_true", help="only say what would be removed")
    parser.set_defaults(run=_tidy)


def _list(arguments: argparse.Namespace) -> None:
    say(table(("name", "made", "workspaces", "size"),
              [(copy.name, datetime.datetime.fromtimestamp(copy.at).isoformat(" "),
                "cannot be used" if copy.workspaces is None else copy.workspaces,
                size_in_words(copy.bytes)) for copy in list_backups(home())]))


def _make(arguments: argparse.Namespace) -> None:
    name = back_up(home())
    say(f"Made {name}." if name else "Nothing has changed since the newest backup.")


def _restore(arguments: argparse.Namespace) -> None:
    aside = restore(home(), arguments.name, arguments.workspace)
    say(f"Brought back {arguments.name}. What was there before lies in {aside}.")


def _tidy(arguments: argparse.Namespace) -> None:
    limit = size_of("--limit", arguments.limit) if arguments.limit else store_quota()
    meter = Meter()
    done = tidy(home(), limit, trial=arguments.trial, progress=meter)
    meter.close()
    would = "Would remove" if arguments.trial else "Removed"
    say(f"{would} {done.removed:,} ({size_in_words(done.freed)}); results left: "
        f"{size_in_words(done.left)}"
        + (f", {done.referred:,} of them in use by workspaces." if done.referred else "."))

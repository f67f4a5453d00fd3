"""The command line: everything the app does, without a browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from explorer import cli_keep, cli_recipes, cli_steps, cli_studies, cli_train
from explorer.cli_flags import Parser
from explorer.cli_write import remark
from explorer.errors import Cancelled, ExplorerError

REFUSED, BUG, STOPPED = 2, 1, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status: 0, 2 for a refusal (one line on stderr), 130 when
    stopped, 1 for a mistake of ours."""
    arguments = build_parser().parse_args(words)
    if arguments.home:  # for all that looks for it there: kept networks, backups, tidying
        os.environ["EXPLORER_HOME"] = arguments.home
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        remark("explorer: stopped.")
        return STOPPED
    except BrokenPipeError:
        # The reader of our answer has gone (| head); keep the interpreter from complaining.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ExplorerError as error:
        remark(f"explorer: {error.code}: {error}")
        return REFUSED
    except OSError as error:
        remark(f"explorer: cannot read or write {error.filename or 'a file'}: {error.strerror}.")
        return REFUSED
    except Exception as error:
        if os.environ.get("EXPLORER_DEBUG"):
            raise
        remark(f"explorer: a mistake of ours, {type(error).__name__}: {error}. Set "
               "EXPLORER_DEBUG=1 to see where.")
        return BUG
    return 0


def build_parser() -> Parser:
    """All commands with all their flags."""
    parser = Parser(prog="explorer", description=__doc__)
    parser.set_defaults(home=None)
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    cli_recipes.add_commands(commands)
    cli_steps.add_commands(commands)
    cli_train.add_commands(commands)
    cli_studies.add_commands(commands)
    cli_keep.add_commands(commands)
    return parser

"""Which spans and traces a command is about: options that several share."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from tocsin.commands.changes import parsed_ms
from tocsin.terminal.options import Command


def since_option(default: str = "1h") -> Callable[[Command], Command]:
    """Return the option for how far back is looked."""
    return click.option("--since", default=default, help=f"How far back. [{default}]")


def start_of(since: str) -> int:
    """Return when ``--since`` begins, epoch milliseconds."""
    return time.time_ns() // 1_000_000 - parsed_ms(since, "--since")


def query_option(function: Command) -> Command:
    """Add the option for a query."""
    text = "TraceQL, such as '{ status = error }'."
    return click.option("--query", "-q", metavar="TRACEQL", help=text)(function)

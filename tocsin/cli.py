"""The command ``tocsin``: gathers the commands and turns our errors into exit codes.

Exit codes: 0 fine, 1 failure, 2 wrong usage or configuration, 3 completed but found problems (or,
with ``--fail-empty``, nothing), 4 what was asked for is not there or can't be reached, 130
interrupted. With ``--json`` an error is a JSON object on standard output.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import click
import orjson

from collectors.errors import ConfigError, TocsinError
from tocsin.client.errors import ClientError, MissingError, UnreachableError

# Imported when asked for: a `tocsin --help` should not load numba, Streamlit and gRPC.
_COMMANDS = {
    "serve": "Collect, watch, page: the whole suite in one process.",
    "dashboard": "Open the war room and its sister pages in a browser.",
    "demo": "A streaming platform, a fault, a page, a war room, a post-mortem.",
    "gameday": "Play faults into the demo platform and score how tocsin does.",
    "init": "Write a commented starter configuration for a service that a server has seen.",
    "incidents": "List, read and answer incidents.",
    "oncall": "See who is on call, when nobody is, and who carries how much.",
    "slo": "See how objectives stand, and write new ones.",
    "metrics": "List the metrics that there are.",
    "tags": "List tags and their values.",
    "traces": "Search traces and read one.",
    "changes": "Announce deployments and the like, and list them.",
    "query": "Evaluate a stack-language expression and draw it.",
    "explain-series": "Show who sends a series, and which attributes are no tags.",
    "check-config": "Validate settings and the configuration directory.",
    "reload": "Have a running server read its configuration again.",
    "schema": "Print the JSON Schema of a kind of configuration file.",
    "settings": "Print the table of settings and where each value comes from.",
    "doctor": "Look for what would keep tocsin from working on this machine.",
    "history": "Verify the long-term store.",
}


@cache  # a server tells it with every answer of /health
def package_version() -> str:
    """Return the installed version, or ``0+unknown`` in a bare checkout."""
    try:
        return version("tocsin")
    except PackageNotFoundError:
        return "0+unknown"


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"tocsin.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_version(), prog_name="tocsin")
def group() -> None:
    """Rings when your service is in trouble, and helps until it is not."""


def main() -> None:
    """Run the command line; never show a stack trace for an error raised on purpose."""
    try:
        # Outside its standalone mode click returns the code that a command exits with.
        sys.exit(group(standalone_mode=False) or 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _tell(error.format_message(), error.exit_code, error)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ConfigError as error:
        _tell(error.message, 2)
    except (UnreachableError, MissingError) as error:
        _tell(error.message, 4)
    except (TocsinError, ClientError) as error:
        _tell(error.message, 1)


def _tell(message: str, code: int, shown: click.ClickException | None = None) -> NoReturn:
    """Say what went wrong, as JSON to whoever asked for JSON, and exit."""
    if "--json" in sys.argv:
        click.echo(orjson.dumps({"error": message, "exit_code": code}).decode())
    elif shown is not None:
        shown.show()
    else:
        click.echo(f"tocsin: {message}", err=True)
    sys.exit(code)

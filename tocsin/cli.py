"""The command ``tocsin``: gathers the commands and turns our errors into exit codes.

Exit codes: 0 fine, 1 failure, 2 wrong usage or configuration, 3 completed but found problems,
4 what was asked for is not there or can't be reached, 130 interrupted.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

import click

from collectors.errors import ConfigError, TocsinError

# Imported when asked for: a `tocsin --help` should not load numba, Streamlit and gRPC.
_COMMANDS = {
    "serve": "Collect, watch, page: the whole suite in one process.",
    "dashboard": "Open the war room and its sister pages in a browser.",
    "demo": "A streaming platform, a fault, a page, a war room, a post-mortem.",
    "gameday": "Play faults into the demo platform and score how tocsin does.",
    "query": "Evaluate a stack-language expression and draw it.",
    "explain-series": "Show who sends a series, and which attributes are no tags.",
    "check-config": "Validate settings and the configuration directory.",
    "settings": "Print the table of settings and where each value comes from.",
    "doctor": "Look for what would keep tocsin from working on this machine.",
    "history": "Verify the long-term store.",
}


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
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except ConfigError as error:
        click.echo(f"tocsin: {error.message}", err=True)
        sys.exit(2)
    except TocsinError as error:
        click.echo(f"tocsin: {error.message}", err=True)
        sys.exit(1)

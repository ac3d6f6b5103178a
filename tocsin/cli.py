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
from collectors.printable import printable, printable_json
from collectors.redaction import without_secrets
from tocsin.client.errors import ClientError, MissingError, UnreachableError

# Imported when asked for: a `tocsin --help` should not load numba, Streamlit and gRPC.
_COMMANDS = {
    "serve": "Collect, watch, page: the whole suite in one process.",
    "dashboard": "Open the war room and its sister pages in a browser.",
    "top": "Watch and answer incidents in a terminal, also over ssh.",
    "demo": "A streaming platform, a fault, a page, a war room, a post-mortem.",
    "gameday": "Play faults into the demo platform and score how tocsin does.",
    "init": "Write a commented starter configuration for a service that a server has seen.",
    "alerts": "List what fires, and say why somebody was told of it or not.",
    "routes": "See whom an alert would reach.",
    "runbook": "See what runbooks there are, run them, and decide at their steps.",
    "incident": "Declare, read and answer incidents.",
    "incidents": "The same as incident.",
    "noise": "Say that a finding was none; its detector takes more from then on.",
    "oncall": "See who is on call, when nobody is, and who carries how much.",
    "heartbeats": "See which jobs report, and report for one.",
    "import": "Take over rotas of Opsgenie, PagerDuty, Grafana OnCall, and Prometheus's files.",
    "postmortem": "Write, review and publish post-mortems; keep their action items.",
    "silence": "Keep findings from ringing for a while, with a reason.",
    "status": "See and publish what users are told: components, incidents, maintenance.",
    "health": "See how every service is, and why, learned without any configuration.",
    "inspections": "See what is looked at in well-known metrics, and where it is bad.",
    "slo": "See how objectives stand, and write new ones.",
    "rules": "See how Prometheus rules stand, validate rule files, and run their unit tests.",
    "metrics": "List the metrics that there are.",
    "tags": "List tags and their values.",
    "traces": "Search traces and read one.",
    "logs": "Search the lines of logs, and follow them as they come.",
    "changes": "Announce deployments and the like, and list them.",
    "canary": "Hold an experiment against its control, metric by metric.",
    "forecast": "See where an expression is heading, and when it reaches a limit.",
    "query": "Evaluate a stack-language expression and draw it.",
    "translate": "Write a stack-language expression in PromQL, or the other way.",
    "queries": "List the queries that are running, and stop one.",
    "explain-series": "Show who sends a series, and which attributes are no tags.",
    "explain-groups": "Show which tags explain what an expression did lately.",
    "check-config": "Validate settings and the configuration directory.",
    "reload": "Have a running server read its configuration again.",
    "schema": "Print the JSON Schema of a kind of configuration file.",
    "token": "Make, list and revoke the tokens with which people and services ask.",
    "audit": "List who changed what, from where, and how it ended.",
    "cluster": "See how the nodes of a cluster stand, and drain one.",
    "settings": "Print the table of settings and where each value comes from.",
    "doctor": "Look for what would keep tocsin from working on this machine.",
    "history": "Verify the long-term store, or write out its tables for a ClickHouse cluster.",
    "backup": "Write all that must survive to one file, while the server goes on.",
    "restore": "Put a backup back, or prove that it is whole.",
}

_RESPONSE = frozenset(
    {
        *("alerts", "heartbeats", "import", "incident", "incidents", "noise", "oncall"),
        *("postmortem", "routes", "runbook", "silence", "status"),
    }
)
"""Commands of those who respond, which have a room of their own."""
_MODULES = {
    "import": "response.importing",
    "backup": "backup.making",
    "restore": "backup.restoring",
}
"""Modules of commands whose names are not theirs."""


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
        usual = ("response." if cmd_name in _RESPONSE else "") + cmd_name.replace("-", "_")
        module = import_module(f"tocsin.commands.{_MODULES.get(cmd_name, usual)}")
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
    message = printable(without_secrets(message))
    if "--json" in sys.argv:
        text = orjson.dumps({"error": message, "exit_code": code}).decode()
        click.echo(printable_json(text))
    elif shown is not None:
        (click.ClickException(message) if type(shown) is click.ClickException else shown).show()
    else:
        click.echo(f"tocsin: {message}", err=True)
    sys.exit(code)

"""``tocsin rules``: rule files of Prometheus listed, validated, and tried on series."""

from __future__ import annotations

import click

from tocsin.commands.rules.listing import command as listing
from tocsin.commands.rules.trying import command as trying
from tocsin.commands.rules.validating import command as validate


@click.group("rules")
def command() -> None:
    """See how Prometheus rules stand, validate rule files, and run their unit tests."""


command.add_command(listing, "list")
command.add_command(validate)
command.add_command(trying, "test")

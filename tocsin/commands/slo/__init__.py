"""``tocsin slo``: objectives listed, reported on, validated, explained, replayed and written."""

from __future__ import annotations

import click

from tocsin.commands.slo.backtesting import command as backtest
from tocsin.commands.slo.explaining import command as explain
from tocsin.commands.slo.listing import command as listing
from tocsin.commands.slo.new import command as new
from tocsin.commands.slo.reporting import command as report
from tocsin.commands.slo.validating import command as validate


@click.group("slo")
def command() -> None:
    """Look at objectives, try them on what was, and write new ones."""


command.add_command(listing, "list")
command.add_command(listing, "status")
command.add_command(report)
command.add_command(explain)
command.add_command(backtest)
command.add_command(validate)
command.add_command(new)

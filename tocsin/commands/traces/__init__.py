"""``tocsin traces``: search, read one, and ask what many have in common."""

from __future__ import annotations

import click

from tocsin.commands.traces.searching import search, show
from tocsin.commands.traces.sessions import funnel, session, sessions
from tocsin.commands.traces.studying import compare, critical_path, service_map


@click.group("traces")
def command() -> None:
    """Search traces, read one, and ask what many have in common."""


for _one in (search, show, compare, critical_path, service_map, sessions, session, funnel):
    command.add_command(_one)

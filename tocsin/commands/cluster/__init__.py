"""``tocsin cluster``: how nodes stand, and taking one out for a while or for good."""

from __future__ import annotations

import click

from tocsin.commands.cluster.changing import activate, drain, remove
from tocsin.commands.cluster.standing import status


@click.group("cluster")
def command() -> None:
    """See how the nodes of a cluster stand; drain one before it is stopped."""


for _one in (status, drain, activate, remove):
    command.add_command(_one)

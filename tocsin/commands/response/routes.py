"""``tocsin routes``: whom an alert would reach."""

from __future__ import annotations

import click

from tocsin.commands.response.alerts import path_lines
from tocsin.terminal.answers import asking, asks, say, say_json

NOBODY = 3
"""Exit code when nobody would be told."""


@click.group("routes")
def command() -> None:
    """See whom an alert would reach."""


@command.command("test")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Several times.")
@click.option("--severity", default="", help="Of the incident. [what the labels lead to]")
@click.option("--at", default="", metavar="TIME", help="RFC 3339. [now]")
@asks(fail_empty=False)
def test(
    labels: tuple[str, ...], severity: str, at: str, api_url: str | None, as_json: bool
) -> None:
    """Say which way an alert with such labels would take, and exit 3 if it reaches nobody.

    Silences, windows of maintenance, routes and schedules are those of the server; nothing is sent.

    \b
    Example: tocsin routes test --label service.name=playback --label cloud.region=eu-west-1 \\
             --severity SEV1 --at 2026-12-24T23:00:00Z
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        found = api.alerts.test_routes(labels, severity=severity, at=at)
    if as_json:
        say_json(found)
    else:
        told = "somebody is told" if found["tells"] else "nobody is told"
        say("\n".join([f"at {found['at']}: {told}", *path_lines(found["path"])]))
    if not found["tells"]:
        click.get_current_context().exit(NOBODY)

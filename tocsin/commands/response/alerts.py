"""``tocsin alerts``: what fires, and why somebody was told of it or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from tocsin.client.response.alert_shapes import Alert, PathStep
from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.group("alerts")
def command() -> None:
    """List what fires, and say why somebody was told of it or not."""


@command.command("list")
@click.argument("matchers", nargs=-1)
@asks()
def list_alerts(
    matchers: tuple[str, ...], api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """List what fires now, of findings and of alerts that others send.

    \b
    Example: tocsin alerts list urgency=page 'cloud_region=~eu-.*'
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        found = api.alerts.all(matchers)
    tell_list(
        found,
        lambda: table(["id", "state", "since", "told", "summary"], [_row(one) for one in found]),
        empty="nothing fires",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(alert: Alert) -> list[str]:
    since_ms = datetime.fromisoformat(alert["startsAt"]).timestamp() * 1_000
    summary = alert["annotations"].get("summary", alert["labels"].get("alertname", ""))
    told = ", ".join(receiver["name"] for receiver in alert["receivers"])
    return [alert["id"], alert["status"]["state"], moment(since_ms), told, summary]


@command.command("why")
@click.argument("name", metavar="ID")
@asks(fail_empty=False)
def why(name: str, api_url: str | None, as_json: bool) -> None:
    """Print the path of what was sent, or not sent, of a finding or an incident.

    Lines with an x say why nobody is told.

    \b
    Example: tocsin alerts why inc-0001
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        found = api.alerts.why(name)
    if as_json:
        say_json(found)
    else:
        say("\n".join([found["id"], *path_lines(found["path"])]))


def path_lines(path: Sequence[PathStep]) -> Iterator[str]:
    """Yield a line for each stage."""
    for step in path:
        mark = "x" if step["stops"] else " "
        when = f"  ({moment(step['time_ms'])})" if step["time_ms"] is not None else ""
        yield f"{mark} {step['stage']:<11}  {step['text']}{when}"

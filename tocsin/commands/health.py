"""``tocsin health``: how every service is, and why."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tocsin.client.service_health import ServiceFigures, ServiceHealth, ServiceHealthDetail
from tocsin.client.wording import NO_DATA, percent, quantity
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.command("health")
@click.argument("service", required=False)
@asks()
def command(service: str | None, api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """Print how every service is, the sickest first, or SERVICE with its parts.

    Red is unwell by itself, yellow is not as usual or unwell because of another, green is as usual,
    grey is not known: it is learned still, gets too few requests, or nothing is heard of it.
    """
    with asking(api_url) as api:
        if service is not None:
            one = api.service_health_of(service)
            if as_json:
                say_json(one)
            else:
                say(told(one))
            return
        answer = api.service_health()
        where = api.base_url
    tell_list(
        answer["services"],
        lambda: listed(answer["services"], answer["left_out"]),
        empty=f"{where} has heard of no service yet: send spans or metrics of requests",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def listed(services: Sequence[ServiceHealth], left_out: int = 0) -> list[str]:
    """Return services as an operator reads them."""
    head = ["service", "health", "requests", "fail", "take", "why"]
    lines = table(head, [[one["service"], *_health(one), *_row(one), why(one)] for one in services])
    if left_out:
        lines.append(f"{left_out} more found no room: their health is not learned.")
    return lines


def why(one: ServiceHealth) -> str:
    """Return the reasons in one line."""
    return "; ".join(reason["text"] for reason in one["reasons"])


def told(one: ServiceHealthDetail) -> str:
    """Return one service as an operator reads it."""
    lines = [f"{one['service']} is {one['health']} ({one['state'].replace('_', ' ')})"]
    lines += [f"  {reason['text']}" for reason in one["reasons"]]
    if one["path"]:
        lines.append(f"  to blame: {' → '.join(one['path'])}")
    if one["saturation"] is not None:
        lines.append(f"  its fullest instance is at {percent(one['saturation'])}")
    head = ["requests", "fail", "take", "not as usual"]
    parts: Sequence[tuple[str, Sequence[tuple[str, ServiceFigures]]]] = (
        ("region", [(part["name"], part) for part in one["regions"]]),
        ("operation", [(part["name"], part) for part in one["operations"]]),
        ("it calls", [(part["service"], part) for part in one["calls"]]),
        ("called by", [(part["service"], part) for part in one["called_by"]]),
    )
    for title, rows in parts:
        if rows:
            body = [[name, *_row(part), ", ".join(part["unusual"])] for name, part in rows]
            lines += ["", *table([title, *head], body)]
    return "\n".join(lines)


def _health(one: ServiceHealth) -> list[str]:
    known = one["health"] != "grey"
    return [one["health"] if known else f"grey: {one['state'].replace('_', ' ')}"]


def _row(one: ServiceFigures) -> list[str]:
    return [
        quantity(one["traffic"], "1/s", missing=NO_DATA),
        percent(one["error_ratio"]),
        quantity(one["duration_s"], "s"),
    ]

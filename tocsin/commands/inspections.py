"""``tocsin inspections``: what is looked at in well-known metrics, and where it is bad."""

from __future__ import annotations

import click

from tocsin.client.service_health import InspectionRow
from tocsin.client.wording import duration, quantity, scope
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list

STATES = ("firing", "pending", "ok", "not measured", "muted", "not applicable")


@click.command("inspections")
@click.argument("name", required=False)
@click.option("--state", type=click.Choice(STATES), help="Only those that are so.")
@click.option("--group", default="", help="Only those of a group, such as host.")
@asks()
def command(
    name: str | None,
    state: str | None,
    group: str,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """Print every inspection, what fires first, or the one called NAME with why and what to do.

    They need no configuration: one whose metrics have never been seen is not applicable. A file
    in inspections/ of the configuration directory switches one off or changes it.
    """
    with asking(api_url) as api:
        found = api.inspections()
    found = [
        one
        for one in found
        if name in (None, one["name"])
        and state in (None, one["state"])
        and group in ("", one["group"])
    ]
    found.sort(key=lambda one: (STATES.index(one["state"]), one["group"], one["name"]))
    if name is not None and found and not as_json:
        say(told(found[0]))
        return
    if name is not None and found:
        say_json(found[0])
        return
    head = ["inspection", "group", "state", "worst", "bad", "for", "means", "where"]
    tell_list(
        found,
        lambda: table(head, [_row(one) for one in found]),
        empty=f"no inspection {name!r}" if name else "no inspection is so",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def told(one: InspectionRow) -> str:
    """Return one inspection as an operator reads it."""
    lines = [
        f"{one['title']} ({one['name']}): {one['state']}",
        f"  bad {_bad(one)} for {duration(one['for_s'])}; means {one['urgency']}",
        f"  why   {one['why']}",
        f"  do    {one['hint']}",
        f"  asks  {one['expr']}",
    ]
    if one["fault"]:
        lines.append(f"  fault {one['fault']}")
    if one["source"]:
        lines.append(f"  set   {one['source']}")
    for place in one["places"]:
        seen = quantity(place["value"], one["unit"])
        told_of = " (not measured any more)" if place["frozen"] else ""
        lines.append(f"  {scope(place['scope']) or 'everywhere'}: {seen}{told_of}")
    if one["firing"] > len(one["places"]):
        lines.append(f"  and {one['firing'] - len(one['places'])} more")
    return "\n".join(lines)


def _row(one: InspectionRow) -> list[str]:
    places = [scope(place["scope"]) for place in one["places"][:3]]
    more = [f"and {one['firing'] - 3} more"] if one["firing"] > 3 else []
    return [
        one["name"],
        one["group"],
        one["state"],
        quantity(one["value"], one["unit"], missing="–"),
        _bad(one),
        duration(one["for_s"]),
        one["urgency"],
        "; ".join([*places, *more]) or (f"{one['lines']} fine" if one["state"] == "ok" else ""),
    ]


def _bad(one: InspectionRow) -> str:
    if one["above"] is not None:
        return f"above {quantity(one['above'], one['unit'])}"
    return f"below {quantity(one['below'], one['unit'])}"

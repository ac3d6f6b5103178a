"""``tocsin traces compare|critical-path|map``: what many traces have in common."""

from __future__ import annotations

import click

from tocsin.client.trace_studies import ComparedEdge, Difference, EdgeMeasures, PathOperation
from tocsin.client.wording import duration, estimated, number, percent
from tocsin.commands.changes import parsed_ms
from tocsin.commands.traces.criteria import query_option, since_option, start_of
from tocsin.terminal.answers import asking, asks, say_json, table, tell_list, tell_notes


@click.command("compare")
@click.argument("query", metavar="TRACEQL")
@since_option()
@click.option("--limit", default=10, help="At most so many attributes. [10]")
@asks()
def compare(
    query: str, since: str, limit: int, api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """Say what sets the spans that a query selects apart from others of their operations."""
    with asking(api_url) as api:
        found = api.studies.compared(q=query, start_ms=start_of(since), limit=limit)
    seen = found["bad_observed"] + found["good_observed"]
    sampled = estimated(found["bad_spans"] + found["good_spans"], seen)
    tell_notes([*found["notes"], *filter(None, [sampled])])
    head = ["attribute", "value", "selected", "others", "lift"]
    tell_list(
        found["differences"],
        lambda: table(head, [_difference(one) for one in found["differences"]]),
        empty=(
            f"nothing sets the {number(found['bad_spans'])} spans apart from "
            f"{number(found['good_spans'])} others"
        ),
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _difference(one: Difference) -> list[str]:
    return [
        one["key"],
        one["value"],
        f"{percent(one['bad_share'])} ({number(one['bad_count'])})",
        f"{percent(one['good_share'])} ({number(one['good_count'])})",
        "only there" if one["lift"] is None else f"{number(one['lift'])} ×",
    ]


@click.command("critical-path")
@query_option
@click.option("--service", help="A service that took part.")
@since_option()
@click.option("--limit", default=200, help="At most so many traces. [200]")
@asks()
def critical_path(
    query: str | None,
    service: str | None,
    since: str,
    limit: int,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """Say what traces wait for: the critical paths of many, added up by operation."""
    wanted: dict[str, str | int | float] = {"start_ms": start_of(since), "limit": limit}
    wanted |= {"q": query} if query else {}
    wanted |= {"service": service} if service else {}
    with asking(api_url) as api:
        found = api.studies.critical_path(**wanted)
    if as_json:
        say_json(found)
        return
    head = ["share", "own time", "traces", "slowest", "operation"]
    more = ", the newest of more" if found["limited"] else ""
    sampled = estimated(found["traces"], found["observed"])
    told = f", {sampled}" if sampled else ""
    lines = [f"{number(found['traces'])} traces{told}{more}"]
    lines += table(head, [_operation(one) for one in found["operations"]])
    if found["error_saved_ms"]:
        lines.append(f"without failed spans: {duration(found['error_saved_ms'] / 1_000)} less")
    tell_list(
        found["operations"],
        lambda: lines,
        empty=f"no such traces in the last {since}",
        as_json=False,
        fail_empty=fail_empty,
    )


def _operation(one: PathOperation) -> list[str]:
    return [
        percent(one["share"]),
        duration(one["own_ms"] / 1_000),
        number(one["traces"]),
        f"{duration(one['slowest_ms'] / 1_000)} in {one['slowest_trace'][:12]}",
        f"{one['service']}: {one['name']}",
    ]


@click.command("map")
@click.option("--before", default="1h", help="Held against what was so long ago. [1h]")
@since_option("10m")
@asks()
def service_map(
    before: str, since: str, api_url: str | None, as_json: bool, fail_empty: bool
) -> None:
    """List who calls whom: rate, errors and durations on both sides, and what they were before."""
    with asking(api_url) as api:
        found = api.studies.service_map(
            start_ms=start_of(since), before_ms=parsed_ms(before, "--before")
        )
    head = ["calls", "per second", "failed", "p99 caller", "p99 callee"]
    lines = table(head, [_edge(one) for one in found["edges"]])
    if not found["known_before"]:
        lines.append(f"what was {before} before is not known: memory does not reach back so far")
    if as_json:
        say_json(found)
        return
    tell_list(
        found["edges"],
        lambda: lines,
        empty=f"no calls in the last {since}",
        as_json=False,
        fail_empty=fail_empty,
    )


def _edge(one: ComparedEdge) -> list[str]:
    now, before = _measures(one["now"]), _measures(one["before"])
    pairs = zip(now, before, strict=True)
    told = [is_now if one["before"] is None else f"{is_now} (was {was})" for is_now, was in pairs]
    return [f"{one['client']} → {one['server']}", *told]


def _measures(found: EdgeMeasures | None) -> list[str]:
    """Return rate, errors and durations in words."""
    if found is None:
        return ["no calls"] * 4
    return [
        number(found["rate"]),
        percent(found["error_ratio"]),
        duration(found["client_p99_ms"] / 1_000),
        duration(found["server_p99_ms"] / 1_000),
    ]

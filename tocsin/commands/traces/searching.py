"""``tocsin traces search|show``."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from tocsin.client.shapes import Trace, TraceSummary
from tocsin.client.wording import duration, moment
from tocsin.commands.changes import parsed_ms
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.command("search")
@click.option("--service", help="A service that took part.")
@click.option("--operation", help="Name of one of its spans.")
@click.option("--error", is_flag=True, help="With an error.")
@click.option("--slower-than", metavar="DURATION", help="Such as 300ms.")
@click.option(
    "--query", "-q", metavar="TRACEQL", help="Such as '{ status = error } | count() > 2'."
)
@click.option("--tag", multiple=True, metavar="KEY:VALUE", help="With this attribute.")
@click.option("--since", default="1h", help="How far back. [1h]")
@click.option("--limit", default=20, help="At most so many. [20]")
@asks()
def search(
    service: str | None,
    operation: str | None,
    error: bool,
    slower_than: str | None,
    query: str | None,
    tag: tuple[str, ...],
    since: str,
    limit: int,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """List traces that match everything given, the newest first."""
    wanted: dict[str, str | int | float | list[str]] = {"limit": limit}
    wanted["start_ms"] = time.time_ns() // 1_000_000 - parsed_ms(since, "--since")
    given = {
        "service": service,
        "operation": operation,
        "error": "true" if error else None,
        "q": query,
    }
    wanted |= {name: value for name, value in given.items() if value is not None}
    if slower_than:
        wanted["min_duration_ms"] = parsed_ms(slower_than, "--slower-than")
    if tag:
        wanted["tag"] = list(tag)
    with asking(api_url) as api:
        found = api.traces(**wanted)
    head = ["trace", "time", "took", "spans", "errors", "root"]
    tell_list(
        found,
        lambda: table(head, [_row(one) for one in found]),
        empty=f"no such traces in the last {since}",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(trace: TraceSummary) -> list[str]:
    return [
        trace["trace_id"],
        moment(trace["start_ms"]),
        duration(trace["duration_ms"] / 1_000),
        str(trace["span_count"]),
        str(trace["error_count"]),
        f"{trace['root_service']}: {trace['root_name']}",
    ]


@click.command("show")
@click.argument("trace_id", metavar="ID")
@asks(fail_empty=False)
def show(trace_id: str, api_url: str | None, as_json: bool) -> None:
    """Print the spans of one trace as a tree, with the share of the critical path."""
    with asking(api_url) as api:
        trace = api.trace(trace_id)
    if as_json:
        say_json(trace)
    else:
        say("\n".join(_tree(trace)))


def _tree(trace: Trace) -> Iterator[str]:
    depth: dict[int, int] = {}
    for at, span in enumerate(trace["spans"]):
        parent = span["parent"]
        depth[at] = 0 if parent is None else depth.get(parent, 0) + 1
        critical = span["critical_ms"]
        path = "" if critical is None else f", {duration(critical / 1_000)} on the critical path"
        failed = f"  {span['status_message'] or 'error'}" if span["status"] == "error" else ""
        name = f"{'  ' * depth[at]}{span['service']}: {span['name']}"
        yield f"{name}  {duration(span['duration_ms'] / 1_000)}{path}{failed}"

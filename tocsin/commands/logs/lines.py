"""``tocsin logs``: lines that match, the newest last as a terminal shows them; or as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from tocsin.client.client import ApiClient
from tocsin.client.log_shapes import LogRow
from tocsin.client.transport import ParamValue
from tocsin.client.wording import moment
from tocsin.commands.changes import parsed_ms
from tocsin.terminal.answers import EMPTY, asking, asks, say, say_json, tell_notes

_PAGE = 1_000


@click.command("logs")
@click.argument("text", nargs=-1)
@click.option("--service", "-s", multiple=True, help="Of this service; again: of any of them.")
@click.option(
    "--severity", metavar="LEVEL", help="At least trace, debug, info, warn, error, fatal."
)
@click.option("--attribute", "-a", multiple=True, metavar="KEY:VALUE", help="With this attribute.")
@click.option("--trace", "trace_id", metavar="ID", help="Written within this trace.")
@click.option("--pattern", metavar="NAME", help="Of this pattern.")
@click.option("--since", default="1h", help="How far back. [1h]")
@click.option(
    "--limit", default=100, type=click.IntRange(1, 100_000), help="At most so many. [100]"
)
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come.")
@asks()
def command(
    text: tuple[str, ...],
    service: tuple[str, ...],
    severity: str | None,
    attribute: tuple[str, ...],
    trace_id: str | None,
    pattern: str | None,
    since: str,
    limit: int,
    follow: bool,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """Print the lines that have all of the words TEXT and match everything else.

    A TEXT of several words in quotes are words that follow one another. With --json each line is a
    JSON object on a line of its own.
    """
    wanted: dict[str, ParamValue] = {
        "text": " ".join(f'"{part}"' if " " in part else part for part in text),
        "service": list(service),
        "severity": severity or "",
        "attribute": list(attribute),
        "trace_id": trace_id or "",
        "pattern": pattern or "",
    }
    wanted = {name: value for name, value in wanted.items() if value}
    since_ms = time.time_ns() // 1_000_000 - parsed_ms(since, "--since")
    with asking(api_url) as api:
        found = _newest(api, {**wanted, "start_ms": since_ms}, limit)
        for line in reversed(found):
            _print(line, as_json)
        if follow:
            for line in api.logs.follow(**wanted):
                _print(line, as_json)
    if not found:
        click.echo(f"no such lines in the last {since}", err=True)
        if fail_empty and not follow:
            click.get_current_context().exit(EMPTY)


def _newest(api: ApiClient, wanted: dict[str, ParamValue], limit: int) -> list[LogRow]:
    """Return lines, newest first, page by page; notes of the server go to standard error."""
    found: list[LogRow] = []
    before: str | None = ""
    while before is not None and len(found) < limit:
        paging: dict[str, ParamValue] = {"limit": min(_PAGE, limit - len(found))}
        page = api.logs.search(**wanted, **paging, **({"before": before} if before else {}))
        found += page["lines"]
        before = page["next"]
        tell_notes(page["notes"])
    return found


def _print(line: LogRow, as_json: bool) -> None:
    if as_json:
        say_json(line)
    else:
        say(" ".join(_parts(line)))


def _parts(line: LogRow) -> Iterator[str]:
    yield moment(int(line["time_ms"]))
    yield f"{line['severity']:<5}" if line["severity"] != "unset" else "     "
    yield f"{line['service']}:"
    yield line["body"]
    yield from (f"{key}={value}" for key, value in line["attributes"].items())
    if line["trace_id"]:
        yield f"trace={line['trace_id']}"

"""``tocsin traces sessions|session|funnel``: what people did over several traces."""

from __future__ import annotations

import click

from tocsin.client.trace_studies import FunnelStep, SessionLine, SessionRequest
from tocsin.client.wording import duration, moment, number, percent
from tocsin.commands.traces.criteria import since_option, start_of
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list, tell_notes
from tocsin.terminal.options import Command

_KEY = "session.id"


def _by_option(function: Command) -> Command:
    text = f"The attribute that tells sessions apart. [{_KEY}]"
    return click.option("--by", default=_KEY, metavar="KEY", help=text)(function)


@click.command("sessions")
@_by_option
@click.option("--failed", is_flag=True, help="Only those with a failed span.")
@since_option()
@click.option("--limit", default=20, help="At most so many. [20]")
@asks()
def sessions(
    by: str,
    failed: bool,
    since: str,
    limit: int,
    api_url: str | None,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """List sessions, those that ended last first."""
    wanted: dict[str, str | int] = {"by": by, "start_ms": start_of(since), "limit": limit}
    wanted |= {"failed": "true"} if failed else {}
    with asking(api_url) as api:
        answer = api.studies.sessions(**wanted)
    found = answer["sessions"]
    tell_notes(answer["notes"])
    head = ["began", "took", "traces", "spans", "failed", "session"]
    tell_list(
        found,
        lambda: table(head, [_line(one) for one in found]),
        empty=f"no span of the last {since} has the attribute {by}",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _line(one: SessionLine) -> list[str]:
    return [
        moment(one["start_ms"]),
        duration(one["duration_ms"] / 1_000),
        number(one["traces"]),
        number(one["spans"]),
        number(one["failed_spans"]),
        one["session"],
    ]


@click.command("session")
@click.argument("value", metavar="ID")
@_by_option
@asks(fail_empty=False)
def session(value: str, by: str, api_url: str | None, as_json: bool) -> None:
    """Tell one session: what failed, its first cause, what whoever asked saw."""
    with asking(api_url) as api:
        found = api.studies.session(value, by=by)
    if as_json:
        say_json(found)
        return
    head = ["began", "took", "answer", "trace", "request"]
    rows = table(head, [_request(one) for one in found["requests"]])
    say("\n".join([*found["sentences"], "", *rows]))


def _request(one: SessionRequest) -> list[str]:
    answer = one["status"] or ("failed" if one["failed"] else "ok")
    return [
        moment(one["start_ms"]),
        duration(one["duration_ms"] / 1_000),
        answer,
        one["trace_id"],
        f"{one['service']}: {one['name']}",
    ]


@click.command("funnel")
@click.argument("steps", metavar="STEP…", nargs=-1)
@_by_option
@since_option()
@asks(fail_empty=False)
def funnel(steps: tuple[str, ...], by: str, since: str, api_url: str | None, as_json: bool) -> None:
    """Say how many sessions get through each STEP, and where they stop.

    A step is the name of a span, or a condition as in TraceQL: '{ name = "pay" && kind = server }'.
    """
    with asking(api_url) as api:
        answer = api.studies.funnel(steps, by=by, start_ms=start_of(since))
    found = answer["steps"]
    tell_notes(answer["notes"])
    if as_json:
        say_json(found)
        return
    head = ["sessions", "of first", "of previous", "after", "stopped", "failed", "step"]
    say("\n".join(table(head, [_step(one) for one in found])))


def _step(one: FunnelStep) -> list[str]:
    return [
        number(one["sessions"]),
        percent(one["share"]),
        percent(one["of_previous"]),
        duration(one["median_s"]),
        number(one["stopped"]),
        number(one["stopped_failed"]),
        one["step"],
    ]

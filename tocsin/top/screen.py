"""A look in lines of text: what one print shows, and what the living screen is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from collectors.graph.terminal import draw
from collectors.model import Frame
from collectors.printable import printable
from tocsin.client.explained.standing import Level, budget_left, standing
from tocsin.client.response.oncall_shapes import Oncall, Schedule
from tocsin.client.response.rotas import next_shift
from tocsin.client.response.screen_shapes import Cause, Screen
from tocsin.client.shapes import Finding, IncidentSummary, Slo
from tocsin.client.wording import (
    UNKNOWN,
    clock,
    duration,
    moment,
    percent,
    quantity,
    scope,
    trimmed,
)
from tocsin.top.look import Look, Part, Signal
from tocsin.top.sparkline import sparkline

WIDTH, HEIGHT = 80, 24
"""Of a terminal as small as one gets."""

_SPARK = 30
_BAR = 8
_CHART_ROWS = 8
_NAME = 28
_WORST_FIRST = (Level.BAD, Level.NEAR, Level.UNKNOWN, Level.WELL)


def printed(look: Look, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Return the whole screen in at most ``height`` lines of ``width`` characters.

    Args:
        look: What is known.
        width: Characters of a line.
        height: Most lines; fewer than a small terminal's are taken for as many.
    """
    lines = [head_line(look)]
    for part in PARTS:
        lines += [part.title] if part.title else []
        lines += shown(part, look, height)
    return [clipped(line, width) for line in lines][: max(height, HEIGHT)]


def shown(part: PartOfScreen, look: Look, height: int) -> list[str]:
    """Return the lines of a part on a screen of ``height`` lines, the last says how many more."""
    rows = drawn(part.lines, look)
    most = part.rows + max(0, height - HEIGHT) // len(PARTS)
    if len(rows) <= most:
        return rows
    if not most:
        return []
    return [*rows[: most - 1], f"  {UNKNOWN} {len(rows) - most + 1} more"]


def drawn(lines: Callable[[Look], Iterable[str]], look: Look) -> list[str]:
    """Return the lines of a part; one that can't be drawn costs itself alone, and says why."""
    try:
        return [*lines(look)]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return [f"! can't be drawn: {type(error).__name__}: {error}"]


def head_line(look: Look) -> str:
    """Return whose screen it is, when, and whether it is well or away."""
    head = f"tocsin top  {look.url}  {clock(look.now_ms)}"
    if look.away:
        return f"AWAY  {head}  {age(look.health, look.now_ms)}"
    health = look.health.value
    if health is None:
        return f"{head}  {look.health.fault or 'nothing known yet'}"
    watch = health["watch"]
    late = f"  rules {duration(watch['lag_s'])} late" if watch["lag_s"] else ""
    return f"{head}  {'well' if health['status'] == 'ok' else health['status'].upper()}{late}"


def age(part: Part[Any], now_ms: int) -> str:
    """Say how old what is shown is."""
    if part.read_ms is None:
        return "no answer yet"
    return f"data {duration((now_ms - part.read_ms) / 1_000)} old"


def incident_lines(look: Look) -> Iterator[str]:
    """Yield a line for each open incident, the chosen one marked."""
    yield from _notice(look.incidents, look, "incidents")
    for one in look.incidents.value or ():
        mark = ">" if one["id"] == look.chosen else " "
        yield f"{mark} {' '.join(incident_cells(one))}"
    if look.incidents.value == []:
        yield "  none is open"


def incident_cells(one: IncidentSummary) -> list[str]:
    """Return an incident in cells: id, severity, status, for how long, what.

    With ``!`` before it nobody has acknowledged it.
    """
    taken = "" if one["acknowledged_ms"] is not None else "! "
    return [
        f"{one['id']:<9}",
        f"{one['severity']:<4}",
        f"{one['status']:<13}",
        f"{duration(one['elapsed_s']):>10}",
        f"{taken}{one['title']}",
    ]


def detail_lines(look: Look) -> Iterator[str]:
    """Yield what the war room's first screen says: what, how bad, why, who, what next."""
    seen = look.screen.value
    if look.chosen:
        yield from _notice(look.screen, look, "incident")
    if seen is None:
        return
    people, step = seen["people"], seen["next"]
    yield f"  {seen['sentence']}"
    yield f"  {how_bad(seen)}"
    yield f"  Likely cause: {_why(seen['cause'])[0]}"
    rung = "" if people["is_taken"] else people["on_call"]
    yield f"  {joined(people['taken'], people['roles'], rung)}"
    yield f"  Next: {step['text']} ({step['why']})"


def behind_lines(look: Look) -> Iterator[str]:
    """Yield what else is known of the cause and of who was rung, where there is room for it."""
    seen = look.screen.value
    if seen is None:
        return
    yield from (f"  for: {one}" for one in _why(seen["cause"])[1:])
    yield from (f"  against: {one}" for one in seen["cause"]["against"])
    if rung := seen["people"]["rung"]:
        yield f"  {rung}"


def _why(cause: Cause) -> list[str]:
    """Return what is suspected, then what speaks for it; a suspect change is its own evidence."""
    return cause["why"] if cause["is_suspect"] and cause["why"] else [cause["words"], *cause["why"]]


def how_bad(seen: Screen) -> str:
    """Say the figure that leads, beside what it should be, its course, and what was lost."""
    figures = [joined(kpi["now"], kpi["usual"]) for kpi in seen["kpis"][:1]]
    lost = [f"{one['title']}: {one['text']}" for one in seen["impact"][:1]]
    course = seen["trend"]["course"]
    trend = f"trend {course}" if course == "not measured" else course
    return joined(*figures, trend if seen["until_ms"] is None else "", *lost)


def joined(*parts: str) -> str:
    """Return what is not empty, one after the other."""
    return "; ".join(filter(None, parts))


def objective_lines(look: Look) -> Iterator[str]:
    """Yield a line for each objective, those that burn first, with the budget that is left."""
    yield from _notice(look.slos, look, "objectives")
    for one in sorted(look.slos.value or (), key=_worst_first):
        left = budget_left(one)
        where = f" {scope(one['scope'])}" if one["scope"] else ""
        name = trimmed(f"{one['display_name'] or one['name']}{where}", _NAME, "…")
        words, _ = standing(one)
        yield f"  {name:<{_NAME}} {words:<26} {bar(left)} {percent(left)} left"
    if look.slos.value == []:
        yield "  none: write one with `tocsin slo new`"


def _worst_first(one: Slo) -> tuple[int, float]:
    left = budget_left(one)
    return _WORST_FIRST.index(standing(one)[1]), left if left is not None else 1.0


def bar(share: float | None, width: int = _BAR) -> str:
    """Draw a share of a whole; an unknown one as dots.

    >>> bar(0.5, 4), bar(-0.2, 4), bar(None, 4)
    ('██░░', '░░░░', '....')
    """
    if share is None:
        return "." * width
    full = round(min(1.0, max(0.0, share)) * width)
    return "█" * full + "░" * (width - full)


def signal_lines(look: Look) -> Iterator[str]:
    """Yield each signal as a sparkline with its newest value."""
    yield from _notice(look.signals, look, "signals")
    for one in look.signals.value or ():
        title = trimmed(one.title, 26, "…")
        yield f"  {title:<26} {sparkline(one.values, _SPARK):<{_SPARK}} {newest(one)}"


def charts(look: Look, width: int) -> list[str]:
    """Return each signal as a chart with its times and its scale."""
    lines: list[str] = []
    for one in look.signals.value or ():
        frame = Frame(
            start_ms=one.start_ms,
            step_ms=one.step_ms,
            tags=[{}],
            labels=[f"{one.title}, {one.unit}"],
            values=np.array([one.values]),
        )
        lines += [*draw(frame, width=width, height=_CHART_ROWS, color=False).splitlines(), ""]
    return lines or [*_notice(look.signals, look, "signals")] or ["No signal is measured."]


def newest(one: Signal) -> str:
    """Word the last value that was measured."""
    known = [value for value in one.values if value == value]
    return quantity(known[-1] if known else None, one.unit)


def finding_lines(look: Look) -> Iterator[str]:
    """Yield what fires, what pages first."""
    yield from _notice(look.findings, look, "findings")
    for one in sorted(look.findings.value or (), key=_pages_first):
        since = duration((look.now_ms - one["started_ms"]) / 1_000)
        yield f"  {one['urgency']:<6} {one['title']}, since {since}"
    if look.findings.value == []:
        yield "  nothing"


def _pages_first(one: Finding) -> tuple[bool, int]:
    return one["urgency"] != "page", -one["started_ms"]


def oncall_lines(look: Look) -> Iterator[str]:
    """Yield who has each schedule, until when, and who is next."""
    yield from _notice(look.oncall, look, "schedules")
    found: Oncall | None = look.oncall.value
    for one in found["schedules"] if found else ():
        yield f"  {_shift_words(one, look.now_ms)}"
    if found is not None and not found["schedules"]:
        yield "  no schedule: pages go to the channels of their routes"


def _shift_words(one: Schedule, now_ms: int) -> str:
    now, following = one["now"], next_shift(one, now_ms)
    who = f"{now['name']}, until {moment(now['end_ms'])}" if now else "NOBODY"
    then = f"; next {following['name']}" if following else ""
    return f"{one['title'] or one['name']}: {who}{then}"


def clipped(line: str, width: int) -> str:
    """Return a line that commands no terminal and fits it, with a mark where it was cut.

    >>> clipped("abcdef", 4)
    'abc…'
    """
    return trimmed(printable(line.replace("\n", " "), kept=""), width, "…").rstrip()


def _notice(part: Part[Any], look: Look, what: str) -> Iterator[str]:
    """Yield what is wrong with a part: old, refused or not there yet."""
    if look.away and part.value is not None:
        return  # the head says so, once for all
    if part.fault:
        reason = "the server is away" if look.away else part.fault
        yield f"! {what}: {reason}, {age(part, look.now_ms)}"
    elif part.value is None:
        yield f"  {what}: asking …"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOfScreen:
    """A part of the screen.

    Attributes:
        name: Which.
        title: Stands above it; "" for none.
        lines: Words it.
        rows: Most lines on the smallest screen; what is left of a larger one is shared out.
    """

    name: str
    title: str
    lines: Callable[[Look], Iterable[str]]
    rows: int


PARTS = (
    PartOfScreen(name="incidents", title="INCIDENTS", lines=incident_lines, rows=3),
    PartOfScreen(name="detail", title="", lines=detail_lines, rows=5),
    PartOfScreen(name="behind", title="", lines=behind_lines, rows=0),
    PartOfScreen(name="slos", title="OBJECTIVES", lines=objective_lines, rows=3),
    PartOfScreen(name="signals", title="SIGNALS, 30 MIN", lines=signal_lines, rows=3),
    PartOfScreen(name="findings", title="FIRING", lines=finding_lines, rows=2),
    PartOfScreen(name="oncall", title="ON CALL", lines=oncall_lines, rows=2),
)
"""The parts from top to bottom: 23 lines with their titles, and the head."""

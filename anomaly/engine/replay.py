"""One rule by itself over the past, up to a moment: as it would stand if we had started then.

What it says is of what is known now. Data that came late are in it, and what has been forgotten
since is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from anomaly.arrivals import ArrivalLog, Arrived
from anomaly.engine.blindness import Blindness
from anomaly.engine.past import CHUNK_STEPS, Past, steps_until
from anomaly.engine.watched import Watched
from anomaly.findings import Finding, FindingState
from anomaly.rules.rule import Rule
from collectors.model import Frame
from collectors.stacklang.evaluation.source import OnceDatabase
from collectors.stacklang.lines.database import Database, Window


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What came of it.

    Attributes:
        rule: The rule as it stands at ``at_ms``.
        at_ms: End of the newest step.
        begins_ms: Where its data begin; None if there are none.
        faults: What can't be evaluated and why, by expression.
        told: Every finding as it was told, oldest first, with the time.
        open: What is open at ``at_ms``.
    """

    rule: Rule[Any]
    at_ms: int
    begins_ms: int | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    told: list[tuple[int, Finding]] = field(default_factory=list)
    open: dict[Hashable, Finding] = field(default_factory=dict)


def replay(
    rule: Rule[Any], database: Database, log: ArrivalLog | None, at_ms: int, step_ms: int
) -> Replayed:
    """Take a rule that has seen nothing through the past that matters to it, as a start does.

    Args:
        rule: Which; it is not to be used for anything else.
        database: Where the numbers are.
        log: Knows who sends them; None: nobody is ever blind, and no half is missing.
        at_ms: End of the newest step.
        step_ms: Length of a step.
    """
    past = Past(database, step_ms)
    found = Replayed(rule=rule, at_ms=at_ms)
    oldest_ms = max(0, at_ms - rule.reach_ms) + step_ms
    found.begins_ms = past.begins_ms(oldest_ms, at_ms)
    if found.begins_ms is None:
        return found
    watched = Watched(rule, step_ms, 0, database)
    for window, answers, arrived in _taken(watched, past, database, log, found.begins_ms, at_ms):
        rule.take(answers, arrived)
        learned = steps_until(window, at_ms - rule.judged_ms)
        if learned > 0:
            rule.learn(0, learned, window.start_ms)
        _judge(found, learned, window)
    found.faults = watched.faults
    return found


def _taken(
    watched: Watched,
    past: Past,
    database: Database,
    log: ArrivalLog | None,
    begins_ms: int,
    at_ms: int,
) -> Iterator[tuple[Window, Mapping[str, Frame], Arrived]]:
    """Yield window after window; of the newest it is known who sent what."""
    step_ms = database.step_ms
    recent_ms = max(begins_ms, at_ms - (CHUNK_STEPS - 1) * step_ms)
    expressions = watched.rule.expressions
    for window, answers in past.answers(expressions, begins_ms, recent_ms - step_ms):
        yield window, answers, Arrived.everything(window)
    once = OnceDatabase(database)
    if log is not None:
        watched.listen(database, log, {})
    blindness = Blindness(database, log)
    for window in past.windows(recent_ms, at_ms, CHUNK_STEPS):
        answers = watched.evaluate(once, window)
        if log is None:
            yield window, answers, Arrived.everything(window)
            continue
        blind = blindness.over(window)
        yield window, answers, Arrived(window=window, blind=blind, listened=watched.listened)


def _judge(found: Replayed, first: int, window: Window) -> None:
    rule = found.rule
    time_ms = window.start_ms + first * window.step_ms
    for at_ms, transition in rule.advance(first, window.steps, time_ms):
        for report in rule.report(transition, found.open.get, time_ms=at_ms, detected_ms=at_ms):
            found.told.append((at_ms, report.finding))
            if report.finding.state is FindingState.RESOLVED:
                found.open.pop(report.key, None)
            else:
                found.open[report.key] = report.finding

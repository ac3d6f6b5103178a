"""Where sessions stop: an ordered list of steps, and how many sessions got through each.

A session gets to a step when it has a span of that step that begins no earlier than the span with
which it got to the step before. Steps are names of spans, or conditions in braces.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collectors.budget import look
from collectors.errors import QueryError
from collectors.model import FloatArray, IntArray
from collectors.traces.query.columns import BoolArray, SpanBlock
from collectors.traces.query.evaluation import holds
from collectors.traces.query.percentile import percentile
from collectors.traces.sessions.membership import sessions_of
from collectors.traces.traceql.parser import parse
from collectors.traces.traceql.query import Compare, Condition, Field, Filter, Intrinsic, Scope

MAX_FUNNEL_STEPS = 12
MAX_SESSIONS = 200_000
MAX_EXAMPLES = 5
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """A step of a funnel.

    Where senders sample, a session counts for as many as the span stands for with which it began.
    That is right where whole sessions are kept or left out; where single traces are, later steps
    are counted too low.

    Attributes:
        step: As it was asked for.
        sessions: Sessions that got here.
        observed: Those of them that were seen.
        share: Of those that began; None when none did.
        of_previous: Of those that got to the step before.
        stopped: Sessions that got no further.
        stopped_failed: Of those the ones whose last try of this step failed.
        median_s: From the step before to here, half of the sessions took at most so long.
        examples: Some sessions that stopped here, those that failed first.
    """

    step: str
    sessions: float
    observed: int
    share: float | None
    of_previous: float | None
    stopped: float
    stopped_failed: float
    median_s: float | None
    examples: tuple[str, ...]


@dataclass(slots=True)
class _Events:
    """Spans of steps: (spans,) each, in parts."""

    session: list[IntArray] = field(default_factory=list)
    step: list[IntArray] = field(default_factory=list)
    start_ns: list[IntArray] = field(default_factory=list)
    failed: list[BoolArray] = field(default_factory=list)
    weight: list[FloatArray] = field(default_factory=list)


def funnel_of(blocks: Iterable[SpanBlock], steps: Sequence[str], by: Field) -> list[FunnelStep]:
    """Return how many sessions got to each step.

    Args:
        blocks: The spans, in any order.
        steps: Names of spans or conditions, in the order in which they are expected.
        by: The attribute that tells sessions apart.

    Raises:
        QueryError: There are too few or too many steps, one can't be read, or there are more
            sessions than ``MAX_SESSIONS``.
    """
    if not 2 <= len(steps) <= MAX_FUNNEL_STEPS:
        raise QueryError(f"a funnel has 2 to {MAX_FUNNEL_STEPS} steps, got {len(steps)}")
    conditions = [step_condition(step) for step in steps]
    names: dict[str, int] = {}
    events = _Events()
    for block in blocks:
        look()
        _gather(events, names, block, conditions, by)
        if len(names) > MAX_SESSIONS:
            raise QueryError(
                f"more than {MAX_SESSIONS:,} sessions by {by.key}; ask for a shorter time"
            )
    return _count(events, list(names), steps)


def step_condition(step: str) -> Condition:
    """Return what a span of a step must be.

    Raises:
        QueryError: It begins with a brace and is no filter.
    """
    if not step.startswith("{"):
        return Compare(Field(Scope.INTRINSIC, Intrinsic.NAME.value, 1), "=", step)
    query = parse(step)
    if not isinstance(query.selection, Filter) or query.stages:
        raise QueryError(f"a step is a name or one filter {{ … }}, got '{step[:80]}'")
    return query.selection.condition


def _gather(
    events: _Events,
    names: dict[str, int],
    block: SpanBlock,
    conditions: Sequence[Condition],
    by: Field,
) -> None:
    sessions, texts = sessions_of(block, by)
    numbers = np.full(len(texts) + 1, -1, dtype=np.int64)
    for code in np.unique(sessions[sessions >= 0]).tolist():
        numbers[code] = names.setdefault(texts[code], len(names))
    session = numbers[sessions]
    for at, condition in enumerate(conditions):
        rows = np.flatnonzero(holds(condition, block) & (session >= 0))
        events.session.append(session[rows])
        events.step.append(np.full(len(rows), at, dtype=np.int64))
        events.start_ns.append(block.start_ns[rows])
        events.failed.append(block.failed[rows])
        events.weight.append(block.weight[rows])


def _count(events: _Events, names: Sequence[str], steps: Sequence[str]) -> list[FunnelStep]:
    empty = np.empty(0, dtype=np.int64)
    session = np.concatenate([empty, *events.session])
    step = np.concatenate([empty, *events.step])
    start_ns = np.concatenate([empty, *events.start_ns])
    failed = np.concatenate([empty.astype(np.bool_), *events.failed])
    weight = np.concatenate([empty.astype(np.float64), *events.weight])
    reached = np.zeros((len(steps) + 1, len(names)), dtype=np.int64)
    broken = np.zeros((len(steps), len(names)), dtype=np.bool_)
    reached[-1] = _NEVER
    for at in range(len(steps)):
        before = reached[at - 1] if at else np.zeros(len(names), dtype=np.int64)
        rows = (step == at) & (start_ns >= before[session]) & (before[session] < _NEVER)
        reached[at] = _NEVER
        np.minimum.at(reached[at], session[rows], start_ns[rows])
        broken[at] = _last_failed(session[rows], start_ns[rows], failed[rows], len(names))
    began = (step == 0) & (start_ns == reached[0][session])
    counts = np.zeros(len(names))
    np.maximum.at(counts, session[began], weight[began])
    return [_step(at, steps, names, (reached, broken[at], counts)) for at in range(len(steps))]


def _last_failed(session: IntArray, start_ns: IntArray, failed: BoolArray, count: int) -> BoolArray:
    """Return (sessions,) whether the last of a session's spans failed."""
    found = np.zeros(count, dtype=np.bool_)
    order = np.argsort(start_ns, kind="stable")
    found[session[order]] = failed[order]  # of several the last one stays
    return found


def _step(
    at: int,
    steps: Sequence[str],
    names: Sequence[str],
    found: tuple[IntArray, BoolArray, FloatArray],
) -> FunnelStep:
    reached, broken, counts = found
    here = reached[at] < _NEVER
    stopped = here & (reached[at + 1] == _NEVER)
    count, began = float(counts[here].sum()), float(counts.sum())
    previous = float(counts[reached[at - 1] < _NEVER].sum()) if at else 0.0
    last = at == len(steps) - 1
    if last:
        stopped = here & False
    examples = [*np.flatnonzero(stopped & broken), *np.flatnonzero(stopped & ~broken)]
    took: FloatArray = (reached[at] - reached[at - 1])[here] / 1e9 if at else np.empty(0)
    return FunnelStep(
        step=steps[at],
        sessions=count,
        observed=int(here.sum()),
        share=count / began if began else None,
        of_previous=count / previous if previous else None,
        stopped=float(counts[stopped].sum()),
        stopped_failed=float(counts[stopped & broken].sum()),
        median_s=percentile(took, counts[here], 0.5) if len(took) else None,
        examples=tuple(names[one] for one in examples[:MAX_EXAMPLES]),
    )

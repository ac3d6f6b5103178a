"""A group is evaluated: rule after rule, each seeing what those before it wrote.

Semantics: Prometheus's ``rules/group.go``, ``recording.go`` and ``alerting.go``. A rule that fails
leaves its alerts and series as they were, says why, and stops nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from anomaly.prometheus_rules.group import GroupedRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.judging import NAME, Element, RuleError, judged
from anomaly.prometheus_rules.states import (
    ActiveAlert,
    GroupState,
    Health,
    LabelKey,
    RuleState,
    key_of,
)
from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.expanding import Speech
from anomaly.prometheus_rules.templates.functions import Surroundings
from anomaly.prometheus_rules.templates.values import Record
from collectors.errors import TocsinError
from collectors.model import Tags
from collectors.promql.evaluation.query import instant
from collectors.promql.language.nodes import Node
from collectors.promql.language.parsing import parse
from collectors.promql.notation.series import STALE
from collectors.promql.samples.columns import Source
from collectors.promql.vectors.context import SUBQUERY_STEP_MS, Options
from collectors.promql.vectors.values import Scalar, Vector

MAX_RECORDED_SERIES = 100_000
"""Series that one recording rule may write."""

Sample = tuple[LabelKey, float]
"""A label set, ``__name__`` among it, and its value."""


class RuleStore(Protocol):
    """Where samples are, and where recorded ones go."""

    def samples(self) -> Source:
        """Return what there is now."""
        ...

    def keep(self, samples: Sequence[Sample], time_ms: int) -> str:
        """Write samples of a time; return why some were refused, empty if none was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How rules are evaluated.

    Attributes:
        external_labels: ``$externalLabels`` of templates.
        external_url: ``$externalURL``.
        subquery_step_ms: The step of subqueries that name none.
        bounded: Returns what bounds the work of one rule.
        now_s: A clock that never goes back, for how long it took.
    """

    external_labels: Tags = field(default_factory=dict)
    external_url: str = ""
    subquery_step_ms: int = SUBQUERY_STEP_MS
    bounded: Callable[[], AbstractContextManager[None]] = nullcontext
    now_s: Callable[[], float] = lambda: 0.0


@lru_cache(maxsize=32_768)
def parsed_rule(expr: str) -> Node:
    """Return the nodes of an expression of a rule: these are an operator's, and asked for ever."""
    return parse(expr)


def ask(
    expr: str, source: Source, time_ms: int, manner: Manner, node: Node | None = None
) -> list[Element]:
    """Return what an expression has at a time.

    Raises:
        TocsinError: It has no answer, or none that a rule can take.
    """
    options = Options(subquery_step_ms=manner.subquery_step_ms)
    value = instant(expr, source, time_ms, options, node).value
    if isinstance(value, Scalar):
        return [Element(labels={}, value=float(value.values[0]))]
    if not isinstance(value, Vector):
        raise RuleError("rule result is not a vector or scalar")
    values = value.values[:, 0].tolist()
    return [
        Element(labels=labels, value=number)
        for labels, number in zip(value.labels.dicts(), values, strict=True)
    ]


def evaluated(
    group: RuleGroup, state: GroupState, store: RuleStore, time_ms: int, manner: Manner
) -> GroupState:
    """Evaluate a group and write what it records.

    Args:
        group: The rules.
        state: Where they stand.
        store: Where samples are and go.
        time_ms: The time of the evaluation, epoch milliseconds.
        manner: How.
    """
    began_s = manner.now_s()
    turn = _Turn(group, store, time_ms, manner)
    rules = tuple(
        turn.rule(rule, known) for rule, known in zip(group.rules, state.rules, strict=True)
    )
    return GroupState(rules=rules, evaluated_ms=time_ms, took_s=manner.now_s() - began_s)


class _Turn:
    """One evaluation of a group."""

    def __init__(self, group: RuleGroup, store: RuleStore, time_ms: int, manner: Manner) -> None:
        self._group = group
        self._store = store
        self._time_ms = time_ms
        self._asked_ms = time_ms - group.query_offset_ms
        self._manner = manner

    def rule(self, rule: GroupedRule, known: RuleState) -> RuleState:
        """Return where a rule stands after it."""
        began_s = self._manner.now_s()
        try:
            with self._manner.bounded():
                moved, samples = self._moved(rule, known)
            moved = self._written(moved, known, samples)
        except TocsinError as error:
            # What was written before goes on: whether it is still so is not known.
            alerts = {} if isinstance(error, _LimitError) else known.alerts
            moved = replace(known, alerts=alerts, health=Health.ERROR, error=error.message)
        failing_ms = (known.failing_ms or self._time_ms) if moved.error else 0
        return replace(
            moved,
            failing_ms=failing_ms,
            evaluated_ms=self._time_ms,
            took_s=self._manner.now_s() - began_s,
        )

    def _moved(self, rule: GroupedRule, known: RuleState) -> tuple[RuleState, list[Sample]]:
        source = self._store.samples()
        elements = ask(rule.expr, source, self._asked_ms, self._manner, parsed_rule(rule.expr))
        fine = replace(known, health=Health.OK, error="", ever=known.ever or bool(elements))
        if isinstance(rule, RecordingRule):
            samples = _recorded(rule, elements)
            self._check_limit(len(samples), "series")
            return fine, samples
        alerts = judged(rule, known.alerts, elements, self._time_ms, self._speech(source))
        self._check_limit(len(alerts), "alerts")
        return replace(fine, alerts=alerts), [*_alert_samples(alerts.values())]

    def _check_limit(self, count: int, what: str) -> None:
        limit = self._group.limit
        if limit and count > limit:
            raise _LimitError(f"exceeded limit of {limit} with {count} {what}")

    def _written(self, moved: RuleState, known: RuleState, samples: Sequence[Sample]) -> RuleState:
        series = frozenset(key for key, _ in samples)
        ended = [(key, STALE) for key in known.series - series]
        refused = ""
        if samples or ended:
            refused = self._store.keep([*samples, *ended], self._asked_ms)
        if refused:
            return replace(moved, series=series, health=Health.ERROR, error=refused)
        return replace(moved, series=series)

    def _speech(self, source: Source) -> Speech:
        manner = self._manner

        def query(text: str) -> list[Record]:
            try:
                found = ask(text, source, self._time_ms, manner)
            except TocsinError as error:
                raise TemplateError(f"query: {error.message}") from None
            return [Record(Labels=dict(one.labels), Value=one.value) for one in found]

        around = Surroundings(
            query=query, external_url=manner.external_url, now_s=self._time_ms / 1000
        )
        return Speech(
            around=around,
            external_labels=manner.external_labels,
            external_url=manner.external_url,
        )


class _LimitError(RuleError):
    """A rule has more than its group allows: as in Prometheus, none of it counts."""


def _recorded(rule: RecordingRule, elements: Sequence[Element]) -> list[Sample]:
    if len(elements) > MAX_RECORDED_SERIES:
        raise RuleError(f"{len(elements)} series, at most {MAX_RECORDED_SERIES} of a rule")
    found: dict[LabelKey, float] = {}
    for element in elements:
        key = key_of({**element.labels, **rule.labels, NAME: rule.record})
        if key in found:
            raise RuleError(
                "vector contains metrics with the same labelset after applying rule labels"
            )
        found[key] = element.value
    return [*found.items()]


def _alert_samples(alerts: Iterable[ActiveAlert]) -> Iterable[Sample]:
    for alert in alerts:
        labels: Mapping[str, str] = alert.labels
        state = {NAME: "ALERTS", "alertstate": alert.state.value}
        yield key_of({**labels, **state}), 1.0
        yield key_of({**labels, NAME: "ALERTS_FOR_STATE"}), float(alert.active_ms // 1000)


def fresh_state(group: RuleGroup) -> GroupState:
    """Return the state of a group that was never evaluated."""
    return GroupState(rules=tuple(RuleState() for _ in group.rules))

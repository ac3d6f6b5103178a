"""A file of tests is run. Semantics: ``promtool test rules`` (``cmd/promtool/unittest.go``).

All groups are evaluated at each evaluation interval, whatever their own, with the samples up to
then; an alert is compared with the evaluation before or at its time; expressions come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from anomaly.prometheus_rules.evaluating import Manner, ask, evaluated, fresh_state
from anomaly.prometheus_rules.group import RuleGroup
from anomaly.prometheus_rules.judging import ALERT_NAME, Element
from anomaly.prometheus_rules.loading import files_matching, load_file
from anomaly.prometheus_rules.states import ActiveAlert, AlertState, GroupState, key_of
from anomaly.prometheus_rules.unit_tests.comparing import (
    alerts_text,
    elements_text,
    same_alerts,
    same_elements,
    told_of,
)
from anomaly.prometheus_rules.unit_tests.memory import MemoryStore
from anomaly.prometheus_rules.unit_tests.shapes import (
    AlertTestShape,
    RuleTestsFile,
    RuleTestShape,
)
from collectors.documents.reading import load_section
from collectors.errors import DocumentError, TocsinError
from collectors.model import FloatArray, IntArray
from collectors.promql.labels.table import LabelSet
from collectors.promql.language.durations import format_duration
from collectors.promql.notation.series import read_labels, read_series

MAX_TEST_STEPS = 200_000
"""Evaluations of one test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a file of tests went.

    Attributes:
        tests: How many expectations were looked at.
        failures: What is not as expected, each in words.
        warnings: What may be not what was meant.
    """

    tests: int
    failures: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def run_file(path: Path) -> Verdict:
    """Run a file of tests.

    Raises:
        DocumentError: It, or a rule file of it, has mistakes.
    """
    document = load_section(path, RuleTestsFile)
    files, warnings = _rule_files(path.parent, document.rule_files)
    groups = [group for file in files for group in load_file(file)]
    order = {name: at for at, name in enumerate(document.group_eval_order)}
    groups.sort(key=lambda group: order.get(group.group, 0))
    failures: list[str] = []
    count = 0
    for shape in document.tests:
        count += len(shape.alert_rule_test) + len(shape.promql_expr_test)
        called = f"{shape.name}: " if shape.name else ""
        failures += [f"{called}{told}" for told in _Test(document, shape, groups).run()]
    return Verdict(tests=count, failures=tuple(failures), warnings=tuple(warnings))


def _rule_files(directory: Path, patterns: Sequence[str]) -> tuple[list[Path], list[str]]:
    files: list[Path] = []
    warnings: list[str] = []
    for pattern in patterns:
        found = files_matching(directory, pattern)
        files += found
        if not found:
            warnings.append(f"no file matches {pattern}")
    return files, warnings


@dataclass(slots=True)
class _Input:
    """A series that comes in, as far as it has come: ``upto`` samples."""

    labels: LabelSet
    times_ms: IntArray
    values: FloatArray
    upto: int = 0


class _Test:
    """One entry of ``tests`` on its way through time."""

    def __init__(
        self, document: RuleTestsFile, shape: RuleTestShape, groups: Sequence[RuleGroup]
    ) -> None:
        self._shape = shape
        self._groups = groups
        self._every_ms = document.evaluation_interval
        self._interval_ms = shape.interval or document.evaluation_interval
        self._start_ms = _start_ms(shape)
        self._fuzzy = document.fuzzy_compare
        self._store = MemoryStore()
        self._states = [fresh_state(group) for group in groups]
        self._manner = Manner(
            external_labels=shape.external_labels,
            external_url=shape.external_url,
            subquery_step_ms=document.evaluation_interval,
        )

    def run(self) -> Iterator[str]:
        """Yield what is not as expected."""
        inputs = self._inputs()
        times = [one.eval_time for one in self._shape.alert_rule_test]
        times += [one.eval_time for one in self._shape.promql_expr_test]
        last_ms = max(times, default=0)
        if last_ms // self._every_ms > MAX_TEST_STEPS:
            told = f"{last_ms // self._every_ms} evaluations, limit of {MAX_TEST_STEPS}"
            raise self._shape.place.error(told)
        for passed_ms in range(0, last_ms + 1, self._every_ms):
            self._let_in(inputs, self._start_ms + passed_ms)
            failed = [*self._evaluate(passed_ms)]
            yield from failed
            if failed:
                return
            for test in self._shape.alert_rule_test:
                if passed_ms <= test.eval_time < passed_ms + self._every_ms:
                    yield from self._compared(test)
        yield from self._expressions()

    def _inputs(self) -> list[_Input]:
        found: list[_Input] = []
        for shape in self._shape.input_series:
            try:
                noted = read_series(f"{shape.series} {shape.values}")
            except (ValueError, TocsinError) as error:
                raise shape.place.error(str(error)) from None
            if noted.native:
                raise shape.place.error("native histograms are not known here")
            steps = np.flatnonzero(noted.present)
            times = self._start_ms + steps.astype(np.int64) * self._interval_ms
            found.append(_Input(noted.labels, times, noted.values[steps]))
        return found

    def _let_in(self, inputs: Sequence[_Input], now_ms: int) -> None:
        for one in inputs:
            upto = int(np.searchsorted(one.times_ms, now_ms, side="right"))
            if upto > one.upto:
                new = slice(one.upto, upto)
                self._store.source.add(one.labels, one.times_ms[new], one.values[new])
                one.upto = upto

    def _evaluate(self, passed_ms: int) -> Iterator[str]:
        now_ms = self._start_ms + passed_ms
        states: list[GroupState] = []
        for group, known in zip(self._groups, self._states, strict=True):
            state = evaluated(group, known, self._store, now_ms, self._manner)
            states.append(state)
            for rule, after in zip(group.rules, state.rules, strict=True):
                if after.error:
                    at = format_duration(passed_ms)
                    yield f"rule {rule.name} at {at} can't be evaluated: {after.error}"
        self._states = states

    def _compared(self, test: AlertTestShape) -> Iterator[str]:
        expected = [
            (
                key_of({**one.exp_labels, ALERT_NAME: test.alertname}),
                key_of(one.exp_annotations),
            )
            for one in test.exp_alerts
        ]
        found = told_of(self._firing(test.alertname))
        if not same_alerts(expected, found):
            yield (
                f"alert {test.alertname} at {format_duration(test.eval_time)}\n"
                f"    expected: {alerts_text(expected)}\n    found: {alerts_text(found)}"
            )

    def _firing(self, name: str) -> Iterator[ActiveAlert]:
        for group, state in zip(self._groups, self._states, strict=True):
            for rule, known in zip(group.rules, state.rules, strict=True):
                if rule.name == name:
                    for alert in known.alerts.values():
                        if alert.state is AlertState.FIRING:
                            yield alert

    def _expressions(self) -> Iterator[str]:
        for test in self._shape.promql_expr_test:
            at = format_duration(test.eval_time)
            head = f"expression {test.expr!r} at {at}"
            try:
                source, at_ms = self._store.samples(), self._start_ms + test.eval_time
                found = ask(test.expr, source, at_ms, self._manner)
                expected = [
                    Element(labels=_labels(one.labels), value=one.value) for one in test.exp_samples
                ]
            except (TocsinError, ValueError) as error:
                yield f"{head}: {error.message if isinstance(error, TocsinError) else error}"
                continue
            if any(one.histogram is not None for one in test.exp_samples):
                yield f"{head}: native histograms are not known here"
            elif not same_elements(expected, found, fuzzy=self._fuzzy):
                yield (
                    f"{head}\n    expected: {elements_text(expected)}"
                    f"\n    found: {elements_text(found)}"
                )


def _labels(text: str) -> Mapping[str, str]:
    labels, rest = read_labels(text)
    if rest.strip():
        raise ValueError(f"labels {text!r}: unexpected {rest.strip()[:80]!r}")
    return labels


def _start_ms(shape: RuleTestShape) -> int:
    given = shape.start_timestamp
    if not given:
        return 0
    try:
        return round(float(given) * 1000)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise _bad_start(shape) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _bad_start(shape: RuleTestShape) -> DocumentError:
    return shape.at("start_timestamp").error(
        f"{shape.start_timestamp!r} is no time: write RFC 3339 or seconds since 1970"
    )

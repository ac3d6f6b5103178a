"""Samples of a service's spans: how often it failed, and how long it took, operation by operation.

Only what it was asked for counts (server and consumer spans): what it asks of others is theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from anomaly.canary.metric import Bad, MetricRule, judge_metric
from anomaly.canary.score import CanaryResult, score_of
from collectors.attribute_text import text_of
from collectors.model import FloatArray, Span, SpanKind, SpanStatus
from collectors.traces.search import NANOS_PER_MS

VERSION = "service.version"
MAX_OPERATIONS = 5
BUCKET_MS = 5_000
_ASKED = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
_ALLOWED_SLOWER = 1.25
"""Durations up to a quarter longer are no verdict on a deployment that nobody asked about."""
_ALLOWED_ERRORS = 1.5
_NS_PER_S = 1e9


class SpanFinder(Protocol):
    """Something that has spans, such as the span store."""

    def services(self) -> list[str]:
        """Return the names of services that have spans."""
        ...

    def spans_of(self, service: str, start_ms: int, end_ms: int, limit: int) -> Sequence[Span]:
        """Return spans of a service in traces that began between the two times, newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was seen of one side.

    Attributes:
        failed: Shape (buckets,): share of requests that failed in each bucket that has any.
        durations_s: By operation, shape (spans,), seconds.
    """

    failed: FloatArray
    durations_s: Mapping[str, FloatArray]


def version_of(span: Span) -> str:
    """Return the version that a span's resource gives; "" for none."""
    value = span.resource.get(VERSION)
    return "" if value is None else text_of(value)[:200]


def asked(spans: Sequence[Span]) -> list[Span]:
    """Return those spans in which a service was asked for something."""
    return [span for span in spans if span.kind in _ASKED]


def sample(spans: Sequence[Span]) -> Sample:
    """Return what ``spans`` say of one side."""
    all_, failed = Counter[int](), Counter[int]()
    durations: dict[str, list[float]] = {}
    for span in spans:
        bucket = span.start_ns // (BUCKET_MS * NANOS_PER_MS)
        all_[bucket] += 1
        failed[bucket] += span.status is SpanStatus.ERROR
        durations.setdefault(span.name, []).append(span.duration_ns / _NS_PER_S)
    return Sample(
        failed=np.array([failed[bucket] / all_[bucket] for bucket in sorted(all_)]),
        durations_s={name: np.array(values) for name, values in durations.items()},
    )


def judged(control: Sample, experiment: Sample) -> CanaryResult:
    """Return how what runs now does against what ran before: errors are critical."""
    errors = MetricRule(
        name="share of errors",
        group="errors",
        bad=Bad.INCREASE,
        critical=True,
        allowed_increase=_ALLOWED_ERRORS,
    )
    verdicts = [judge_metric(errors, control.failed, experiment.failed)]
    both = control.durations_s.keys() & experiment.durations_s.keys()
    often = sorted(both, key=lambda name: (-len(control.durations_s[name]), name))
    for name in often[:MAX_OPERATIONS]:
        rule = MetricRule(
            name=f"seconds of {name}",
            group="duration",
            bad=Bad.INCREASE,
            allowed_increase=_ALLOWED_SLOWER,
        )
        verdicts.append(judge_metric(rule, control.durations_s[name], experiment.durations_s[name]))
    return score_of(verdicts)

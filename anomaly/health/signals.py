"""What is usual of many services, operations or edges at once, and what is not: by the detectors.

Three things are judged of each: that it gets fewer requests and that more of them fail, both as
counts (:mod:`anomaly.detectors.counts`), and that they take longer, as the logarithm of the mean
(:mod:`anomaly.detectors.level`), which heavy tails do not carry away. Of few requests several steps
are judged together. A share is news only if it is one of enough failures, and well above the share
that is usual: more failures of more requests are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors import counts, level
from anomaly.detectors.counts import CountsParameters
from anomaly.detectors.detector import Detector, Direction, Phase, Scores
from anomaly.detectors.residual import ResidualParameters
from anomaly.groups import Groups
from anomaly.health.pace import Pace
from anomaly.health.sources import LIMITS, Source
from collectors.model import FloatArray, Frame, IntArray, Tags

MIN_REQUESTS = 20
"""With fewer in the longest window, nothing is said of failures and durations."""
MATERIAL = 0.003
"""A share of failures that is above the usual one by less than this is no news, however rare."""
_FEW_FAILURES = 5.0
_MUCH_MORE = 1.5
_SLOWER = 1.3
_FEWER = 0.7
# The mean of n durations wanders by some 1 / √n of itself, more where tails are heavy.
_WANDERING = 6.0
_LONG_AGO = 1 << 30


class Sums(NamedTuple):
    """Requests, failures and seconds of steps, per second, (steps, things) each; 0 for none."""

    requests: FloatArray
    failures: FloatArray
    seconds: FloatArray


class Figure(NamedTuple):
    """One figure of all things, (steps, things) each.

    Attributes:
        value: What it is; NaN for not known.
        usual: What is usual; NaN while that is learned.
        wrong: Whether it is not as usual.
        known: Whether it is judged.
    """

    value: FloatArray
    usual: FloatArray
    wrong: NDArray[np.bool_]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is known of some steps, every array of shape (steps, things).

    Attributes:
        scopes: Tags of each thing.
        pooled: Requests seen that failures and durations are judged by.
        silent: Steps since anything was heard of it.
        seen: Steps in which it was heard of.
        missing: Whether it has not been heard of for some steps.
        traffic: Requests a second.
        errors: Share of them that failed.
        duration: What they took on average, seconds.
    """

    scopes: Sequence[Tags]
    pooled: FloatArray
    silent: IntArray
    seen: IntArray
    missing: NDArray[np.bool_]
    traffic: Figure
    errors: Figure
    duration: Figure

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Whether anything about a thing is not as usual."""
        return self.traffic.wrong | self.errors.wrong | self.duration.wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where signals stood; its arrays are never written to."""

    detectors: tuple[object, ...]
    tail: Sums
    silent: IntArray
    seen: IntArray
    births: IntArray


class Signals:
    """State of all that one source knows.

    Args:
        source: What is asked.
        pace: How fast to learn.

    Attributes:
        source: What is asked.
        groups: What there is.
    """

    def __init__(self, source: Source, pace: Pace) -> None:
        self.source = source
        self.groups = Groups(source.keys, LIMITS[source.about])
        self._pace = pace
        self._detectors = detectors_of(pace)
        nothing: FloatArray = np.zeros((pace.long - 1, 0))
        self._tail = Sums(nothing, nothing, nothing)
        self._silent: IntArray = np.zeros(0, dtype=np.int64)
        self._seen: IntArray = np.zeros(0, dtype=np.int64)
        self._taken: Sequence[FloatArray] = ()

    def take(self, answers: Mapping[str, Frame], steps: int) -> None:
        """Take the values of the next steps."""
        source, births = self.source, self.groups.births.copy()
        asked = (source.requests, source.failures, source.seconds, source.telling, source.observed)
        self._taken = self.groups.tables([answers.get(one) for one in asked], steps)
        self._reset(np.flatnonzero(self.groups.births[: len(births)] != births))
        self._grow(len(self.groups))

    def mark(self) -> Mark:
        """Return where it stands."""
        return Mark(
            detectors=tuple(one.mark() for one in self._detectors),
            tail=self._tail,
            silent=self._silent,
            seen=self._seen,
            births=self.groups.births.copy(),
        )

    def back_to(self, mark: Mark) -> None:
        """Stand where it stood; what came since is new again."""
        for one, stood in zip(self._detectors, mark.detectors, strict=True):
            one.back_to(stood)
        self._tail, self._silent, self._seen = mark.tail, mark.silent, mark.seen
        gone = np.flatnonzero(self.groups.births[: len(mark.births)] != mark.births)
        self._reset(gone)
        self._grow(len(self.groups))

    def judge(self, first: int, last: int, step: int) -> Judged:
        """Judge steps ``first`` up to and without ``last`` of what was taken, at once.

        Args:
            first: Column of the first step.
            last: Column after the last.
            step: Number of the first step on the time axis.
        """
        requests, failures, seconds, telling, observed = (
            np.ascontiguousarray(table[:, first:last].T) for table in self._taken
        )
        there = np.isfinite(requests) & (requests > 0)
        tells = np.isfinite(telling) if self.source.telling else there
        # Of what is sampled, each that was seen stands for several: they prove no more than one.
        share = np.where(np.isfinite(observed) & there, observed / requests, 1.0)
        every = Sums(*(np.nan_to_num(one) * share for one in (requests, failures, seconds)))
        whole = Sums(*(np.concatenate(pair) for pair in zip(self._tail, every, strict=True)))
        self._tail = Sums(*(one[len(one) - (self._pace.long - 1) :] for one in whole))
        pools = self._pools(whole, last - first)
        pooled = pools.requests * self._pace.step_s
        enough = there & (pooled >= MIN_REQUESTS)
        late = _rolling(whole.requests, self._pace.short)[first - last :] / self._pace.short
        rate = np.where(there, late / share, np.nan)
        traffic = self._detectors[0].observe_steps(np.where(there, requests, np.nan), step)
        silent, seen = self._heard(there)
        return Judged(
            scopes=list(self.groups.scopes),
            pooled=pooled,
            silent=silent,
            seen=seen,
            missing=traffic.phase == Phase.MISSING,
            traffic=Figure(
                value=rate,
                usual=traffic.expected,
                wrong=(traffic.phase == Phase.ANOMALOUS) & (rate <= _FEWER * traffic.expected),
                known=traffic.phase == Phase.NORMAL,
            ),
            errors=self._errors(every, pools, there & tells, enough & tells, traffic, share, step),
            duration=self._duration(pools, enough & np.isfinite(seconds), step),
        )

    def _errors(
        self,
        every: Sums,
        pools: Sums,
        counted: NDArray[np.bool_],
        enough: NDArray[np.bool_],
        traffic: Scores,
        share: FloatArray,
        step: int,
    ) -> Figure:
        failures = np.where(counted, every.failures, np.nan)
        scores = self._detectors[1].observe_steps(failures, step)
        with np.errstate(divide="ignore", invalid="ignore"):
            failing = np.where(enough, pools.failures / pools.requests, np.nan)
            usual = np.clip(scores.expected / (traffic.expected * share), 0.0, 1.0)
        many = pools.failures * self._pace.step_s >= _FEW_FAILURES
        more = (failing - usual >= MATERIAL) & (failing >= _MUCH_MORE * usual)
        return Figure(
            value=failing,
            usual=usual,
            wrong=(scores.phase == Phase.ANOMALOUS) & many & more,
            known=enough & np.isfinite(scores.expected),
        )

    def _duration(self, pools: Sums, enough: NDArray[np.bool_], step: int) -> Figure:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(enough, pools.seconds / pools.requests, np.nan)
            log = np.log(np.maximum(mean, 1e-9))
            pooled = np.maximum(pools.requests * self._pace.step_s, 1.0)
        scores = self._detectors[2].observe_steps(log, step)
        beyond = np.maximum(np.log(_SLOWER), _WANDERING / np.sqrt(pooled))
        return Figure(
            value=mean,
            usual=np.exp(scores.expected),
            wrong=(scores.phase == Phase.ANOMALOUS) & (log - scores.expected >= beyond),
            known=enough & np.isfinite(scores.expected),
        )

    def _pools(self, whole: Sums, steps: int) -> Sums:
        """Return sums over the last steps: of two numbers of them the lower one that is enough."""
        short = Sums(*(_rolling(one, self._pace.short)[-steps:] for one in whole))
        long = Sums(*(_rolling(one, self._pace.long)[-steps:] for one in whole))
        many = short.requests * self._pace.step_s >= MIN_REQUESTS
        return Sums(*(np.where(many, a, b) for a, b in zip(short, long, strict=True)))

    def _heard(self, there: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
        """Return for how many steps each was silent, and in how many it was heard; go on."""
        steps = np.arange(1, len(there) + 1)[:, np.newaxis]
        newest = np.maximum.accumulate(np.where(there, steps, 0), axis=0)
        silent = np.where(newest > 0, steps - newest, self._silent + steps)
        seen = self._seen + np.cumsum(there, axis=0)
        self._silent, self._seen = silent[-1], seen[-1]
        return silent, seen

    def _grow(self, things: int) -> None:
        more = things - len(self._silent)
        if more > 0:
            self._silent = np.append(self._silent, np.full(more, _LONG_AGO))
            self._seen = np.append(self._seen, np.zeros(more, dtype=np.int64))
            room = np.zeros((self._pace.long - 1, more))
            self._tail = Sums(*(np.concatenate([one, room], axis=1) for one in self._tail))
        for one in self._detectors:
            one.grow(things)

    def _reset(self, things: NDArray[np.intp]) -> None:
        """Start again with things whose numbers were given to others."""
        if not len(things):
            return
        known = things[things < len(self._silent)]
        self._tail = Sums(*(_cleared(one, known) for one in self._tail))
        self._silent, self._seen = self._silent.copy(), self._seen.copy()
        self._silent[known], self._seen[known] = _LONG_AGO, 0
        for one in self._detectors:
            one.grow(len(self.groups))
            one.forget(things)


def detectors_of(pace: Pace) -> tuple[Detector, Detector, Detector]:
    """Return what judges traffic, failures, and the logarithms of durations."""
    alike: dict[str, Any] = {
        "min_steps": pace.learn,
        "half_life_steps": float(pace.half_life),
        "relearn_steps": pace.relearn,
        "step_s": pace.step_s,
        "missing_steps": 3,
    }
    fewer = CountsParameters(direction=Direction.LOW, change_to=0.5, evidence=20.0, **alike)
    failing = CountsParameters(
        direction=Direction.HIGH, change_to=3.0, anchor_half_lives=0.0, **alike
    )
    slower = ResidualParameters(
        direction=Direction.HIGH,
        threshold=6.0,
        confirm_steps=pace.short + 2,  # one that takes long is in several sums
        extreme=10.0,
        scale_floor=0.5,
        min_change=0.0,
        anchor_half_lives=0.0,
        **alike,
    )
    make_counts, make_level = counts.DETECTOR.make, level.DETECTOR.make
    return make_counts(fewer), make_counts(failing), make_level(slower)


def _rolling(values: FloatArray, steps: int) -> FloatArray:
    """Return the sum of each step and those before it, ``steps`` in all, as far as there are.

    Added up in the same order however many steps come at once, so that no bit of it differs.
    """
    sums = np.zeros_like(values)
    for back in reversed(range(min(steps, len(values)))):
        sums[back:] += values[: len(values) - back]
    return sums


def _cleared(columns: FloatArray, things: NDArray[np.intp]) -> FloatArray:
    cleared = columns.copy()
    cleared[:, things] = 0.0
    return cleared

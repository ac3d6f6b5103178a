"""One service, region, operation or edge in one step, taken out of the arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anomaly.health.pace import Pace
from anomaly.health.signals import MIN_REQUESTS, Figure, Judged
from anomaly.health.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One figure: what it is, what is usual, and whether it is judged and wrong.

    ``value`` and ``usual`` are NaN for not known.
    """

    value: float
    usual: float
    wrong: bool = False
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one source knows of one thing in one step.

    Attributes:
        source: Who tells it.
        names: The values of its keys: the service's name first.
        traffic: Requests a second.
        errors: Share of them that fail.
        duration: Seconds that they take on average.
        pooled: Requests that this is known from.
        silent: Steps since anything was heard of it.
        seen: Steps in which it was heard of.
        missing: Whether it has not been heard of for some steps.
        pace: How long learning takes, and when silence counts.
    """

    source: Source
    names: tuple[str, ...]
    traffic: Signal
    errors: Signal
    duration: Signal
    pooled: float
    silent: int
    seen: int
    missing: bool
    pace: Pace

    @property
    def told_by(self) -> str:
        """Who tells it, for people."""
        return self.source.told_by

    @property
    def service(self) -> str:
        """The service's name."""
        return self.names[0]

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard of it for so long that nothing is known of now."""
        return self.silent >= self.pace.long

    @property
    def has_few(self) -> bool:
        """Whether there are too few requests to judge."""
        return self.pooled < MIN_REQUESTS

    @property
    def is_known(self) -> bool:
        """Whether failures or durations are judged now."""
        return self.errors.known or self.duration.known


def seen_in(source: Source, judged: Judged, step: int, pace: Pace) -> Iterator[Sight]:
    """Yield all that was ever heard of, as it is in one step of what was judged."""
    yield from _sights(source, judged, step, pace, np.arange(len(judged.scopes)))


def wrong_in(source: Source, judged: Judged, step: int, pace: Pace) -> Iterator[Sight]:
    """Yield what is not as usual in a step."""
    yield from _sights(source, judged, step, pace, np.flatnonzero(judged.wrong[step]))


def _sights(
    source: Source, judged: Judged, step: int, pace: Pace, things: NDArray[np.intp]
) -> Iterator[Sight]:
    for at in things.tolist():
        yield Sight(
            source=source,
            names=tuple(judged.scopes[at].values()),
            traffic=_signal(judged.traffic, step, at),
            errors=_signal(judged.errors, step, at),
            duration=_signal(judged.duration, step, at),
            pooled=float(judged.pooled[step, at]),
            silent=int(judged.silent[step, at]),
            seen=int(judged.seen[step, at]),
            missing=bool(judged.missing[step, at]),
            pace=pace,
        )


def _signal(figure: Figure, step: int, at: int) -> Signal:
    return Signal(
        value=float(figure.value[step, at]),
        usual=float(figure.usual[step, at]),
        wrong=bool(figure.wrong[step, at]),
        known=bool(figure.known[step, at]),
    )

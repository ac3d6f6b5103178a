"""Combined: what is new, what has shifted for good, and what stands still, within one budget.

Three detectors judge every value: :mod:`anomaly.detectors.novelty` finds what a line has never
done, :mod:`anomaly.detectors.change` what is too small to be new and lasts, and
:mod:`anomaly.detectors.flat` what hangs. The false alarms that somebody puts up with are shared out
among them, which bounds their sum whatever they have in common (Bonferroni's inequality, 1936).

Use it where one number is all that you want to say: how often a week a line may be wrong about it.

>>> import numpy as np
>>> detector = CombinedDetector(CombinedParameters(false_alarms_per_week=1.0, step_s=10.0))
>>> values = np.random.default_rng(1).normal(100, 5, (400, 1))
>>> values[300:] *= 0.5
>>> found = detector.observe_steps(values, 0)
>>> int((found.phase[:300] == 2).sum()), bool((found.phase[312:] == 2).all())
(0, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anomaly.detectors.alarm import WARMING_UP
from anomaly.detectors.change.detector import ChangeDetector
from anomaly.detectors.change.settings import ChangeParameters
from anomaly.detectors.detector import PhaseArray, Scores
from anomaly.detectors.flat import FlatDetector, FlatParameters
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.novelty.budget import WEEK_S
from anomaly.detectors.novelty.detector import NoveltyDetector, NoveltyParameters
from anomaly.detectors.parameters import Parameters, setting
from anomaly.detectors.series_detector import SeriesDetector
from collectors.model import FloatArray

_NOVELTY_SHARE, _CHANGE_SHARE, _FLAT_SHARE = 0.6, 0.3, 0.1
_SAYS = np.array([0, 0, 1, 2, 0], dtype=np.int8)
"""By phase, how much it says: missing most, then anomalous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedParameters(Parameters):
    """Settings of the combination.

    Attributes:
        false_alarms_per_week: How many false alarms of one series in a week are put up with.
        hold_steps: For how many steps what is new is held before it counts.
        min_change: Smallest difference that counts, as a share of what is usual.
        reach_days: How many days of the past are learned again at a start.
    """

    min_steps: int = setting(200, 2, 100_000)
    false_alarms_per_week: float = setting(1.0, 0.001, 10_000)
    hold_steps: int = setting(6, 0, 1_000)
    min_change: float = setting(0.005, 0, 10)
    reach_days: float = setting(1.0, 0, 30)
    half_life_steps: float = setting(24.0, 1, 100_000)

    @property
    def reach_steps(self) -> int:
        """As far as what is new must be told from what is old."""
        return self.novelty.reach_steps

    @property
    def stated_rate(self) -> float:
        """The budget, a step; novelty's own where the steps are too short for it."""
        return max(self.false_alarms_per_week * self.step_s / WEEK_S, self.novelty.stated_rate)

    @property
    def novelty(self) -> NoveltyParameters:
        """Settings of the part that finds what is new."""
        return NoveltyParameters(
            **self._shared(),
            false_alarms_per_week=self._share(_NOVELTY_SHARE),
            hold_steps=self.hold_steps,
            min_change=self.min_change,
            reach_days=self.reach_days,
        )

    @property
    def change(self) -> ChangeParameters:
        """Settings of the part that finds what has shifted for good."""
        return ChangeParameters(
            **self._shared(),
            evidence=self._evidence(ChangeParameters(), _CHANGE_SHARE),
            min_change=self.min_change,
            half_life_steps=self.half_life_steps,
            anchor_half_lives=self.anchor_half_lives,
        )

    @property
    def flat(self) -> FlatParameters:
        """Settings of the part that finds what hangs."""
        evidence = self._evidence(FlatParameters(), _FLAT_SHARE)
        return FlatParameters(**self._shared(), evidence=evidence)

    def _share(self, share: float) -> float:
        return max(0.001, share * self.false_alarms_per_week)

    def _evidence(self, usual: ChangeParameters | FlatParameters, share: float) -> float:
        """Return the evidence that by chance is passed as often as a share of the budget says."""
        rate = self._share(share) * self.step_s / WEEK_S
        return min(60.0, max(10.0, usual.evidence + math.log(usual.stated_rate / rate)))

    def _shared(self) -> dict[str, Any]:
        return {
            "direction": self.direction,
            "min_steps": self.min_steps,
            "clear_steps": self.clear_steps,
            "missing_steps": self.missing_steps,
            "relearn_steps": self.relearn_steps,
            "step_s": self.step_s,
        }


class CombinedDetector:
    """Three detectors of each series as one."""

    def __init__(self, parameters: CombinedParameters) -> None:
        self._parts: tuple[SeriesDetector, ...] = (
            NoveltyDetector(parameters.novelty),
            ChangeDetector(parameters.change),
            FlatDetector(parameters.flat),
        )
        self._phases: list[PhaseArray] = [np.zeros(0, dtype=np.int8) for _ in self._parts]

    def grow(self, series: int) -> None:
        """Make room for ``series`` series in all."""
        for part in self._parts:
            part.grow(series)

    def forget(self, series: NDArray[np.intp]) -> None:
        """Forget all that is known of some series."""
        for part in self._parts:
            part.forget(series)
        self._phases = [phases.copy() for phases in self._phases]
        for phases in self._phases:
            phases[series[series < len(phases)]] = WARMING_UP

    def hold(self, held: NDArray[np.bool_]) -> None:
        """Say of which series an anomaly is not to be learned as normal."""
        for part in self._parts:
            part.hold(held)

    def mark(self) -> object:
        """Return what is known of all series."""
        return [part.mark() for part in self._parts], self._phases

    def back_to(self, mark: Any) -> None:
        """Know what was known."""
        marks, self._phases = mark
        for part, known in zip(self._parts, marks, strict=True):
            part.back_to(known)

    def observe(self, values: FloatArray, step: int, volume: FloatArray | None = None) -> Scores:
        """Judge one value a series, then learn from it."""
        del volume
        return self.observe_steps(values[np.newaxis], step).at(0)

    def observe_steps(
        self, values: FloatArray, step: int, volume: FloatArray | None = None
    ) -> Scores:
        """Judge several steps, as if each had come by itself."""
        del volume
        found = [part.observe_steps(values, step) for part in self._parts]
        before = self._phases
        # Replaced, never written to: a mark holds the old ones.
        self._phases = [one.phase[-1].copy() for one in found]
        for one, last in zip(found[1:], before[1:], strict=True):
            _take(found[0], one, last)
        return found[0]


def _take(best: Scores, other: Scores, last: PhaseArray) -> None:
    """Put into ``best`` what another part says more of: that it is wrong, or no longer told.

    Args:
        best: Of the first part; changed.
        other: Of another.
        last: Shape (series,): its phases one step before, of those series that there were.
    """
    over = _SAYS[other.phase] > _SAYS[best.phase]
    first = np.full(other.phase.shape[1], WARMING_UP, dtype=np.int8)
    first[: len(last)] = last[: len(first)]
    old = np.concatenate([first[np.newaxis], other.phase[:-1]])
    # That it learns afresh is told once: what it had found is not over because it is well.
    over |= (other.phase == WARMING_UP) & (old != WARMING_UP) & (_SAYS[best.phase] == 0)
    if over.any():
        for name in ("phase", "score", "expected", "scale", "since_steps", "manner"):
            np.copyto(getattr(best, name), getattr(other, name), where=over)
        for measure in best.why or ():
            measure[over] = math.nan  # another part has found it, by other means


DETECTOR = DetectorKind(
    name="combined",
    parameters=CombinedParameters,
    make=CombinedDetector,
    trial=CombinedParameters(min_steps=12, hold_steps=1, false_alarms_per_week=50.0),
)

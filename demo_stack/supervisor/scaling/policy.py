"""How many instances a service needs: for what there is, and for what will be when they are up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from demo_stack.supervisor.scaling.forecast import HoltWinters


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingPolicy:
    """How a service scales.

    Attributes:
        per_instance: Requests a second that one instance is good for.
        min_instances: Instances it never has less of.
        max_instances: Instances it never has more of.
        headroom: Capacity over what is asked for; above 1.
        ahead: Steps of the forecast that a decision takes to have its effect.
        patience: Steps that fewer instances must suffice for before one goes.
        predictive: Whether to heed the forecast, besides what is measured.
    """

    per_instance: float
    min_instances: int = 1
    max_instances: int = 8
    headroom: float = 1.3
    ahead: int = 2
    patience: int = 5
    predictive: bool = True


class ServiceScaler:
    """Decides for one service, step by step.

    Args:
        policy: How.
        season: Steps of a day.
    """

    def __init__(self, policy: ScalingPolicy, season: int) -> None:
        self._policy = policy
        self._model = HoltWinters(season)
        self._spare_steps = 0

    def decide(self, running: int, per_s: float) -> int:
        """Return how many instances there shall be.

        It grows at once and by as much as is needed; it shrinks one at a time, and only when fewer
        have sufficed for a while.

        Args:
            running: How many there are.
            per_s: Requests a second in the last step.
        """
        self._model.observe(per_s)
        needed = self._needed(per_s)
        if needed > running:
            self._spare_steps = 0
            return needed
        self._spare_steps = self._spare_steps + 1 if needed < running else 0
        if self._spare_steps >= self._policy.patience:
            self._spare_steps = 0
            return running - 1
        return running

    def _needed(self, per_s: float) -> int:
        policy = self._policy
        expected = per_s
        if policy.predictive and self._model.knows_a_season:
            soon = range(1, policy.ahead + 1)
            expected = max(per_s, *(self._model.forecast(step) for step in soon))
        instances = math.ceil(expected * policy.headroom / policy.per_instance)
        return min(policy.max_instances, max(policy.min_instances, instances))

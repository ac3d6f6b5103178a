"""One wild value alone is told once; a line that has shown such values must show a wilder one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anomaly.detectors.detector import Phase
from anomaly.detectors.registry import detectors
from anomaly.detectors.seasonal import SeasonalParameters
from collectors.model import FloatArray


def told(name: str, wild: dict[int, float], steps: int = 400) -> list[int]:
    """Return the steps in which an anomaly begins on a line of hardly any noise."""
    values: FloatArray = 100 + np.random.default_rng(2).normal(0, 1, steps)
    for step, value in wild.items():
        values[step] = value
    parameters = detectors()[name].parameters()
    if isinstance(parameters, SeasonalParameters):
        parameters = replace(parameters, period_steps=10)
    detector = detectors()[name].make(parameters)
    phases = detector.observe_steps(values[:, np.newaxis], 0).phase[:, 0]
    wrong = phases == Phase.ANOMALOUS
    return [step for step in range(1, steps) if wrong[step] and not wrong[step - 1]]


@pytest.mark.parametrize("name", ["level", "seasonal"])
@pytest.mark.parametrize(
    ("wild", "begun"),
    [
        ({100: 130.0}, [100]),
        ({100: 130.0, 200: 130.0, 300: 131.0}, [100]),
        ({100: 130.0, 200: 190.0}, [100, 200]),
        ({100: 130.0, 200: 130.0, 201: 130.0, 202: 130.0}, [100, 201]),
        ({100: 130.0, 101: 130.0, 200: 130.0}, [100, 200]),
    ],
)
def test_a_wild_value_is_told_unless_it_has_come_alone_before(
    name: str, wild: dict[int, float], begun: list[int]
) -> None:
    """Latencies would page for every slow request; an outage of two steps must page as ever."""
    assert told(name, wild) == begun

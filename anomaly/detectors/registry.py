"""The detectors by the name that a configuration gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anomaly.detectors.counts import CountsDetector
from anomaly.detectors.detector import Detector
from anomaly.detectors.level import LevelDetector
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.seasonal import SeasonalDetector

DETECTORS: Mapping[str, Callable[[Parameters], Detector]] = {
    "level": LevelDetector,
    "seasonal": SeasonalDetector,
    "counts": CountsDetector,
}

"""A kind of detector: what its file says of it to whoever configures, runs and tests it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from anomaly.detectors.detector import Detector
from anomaly.detectors.parameters import Parameters

P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorKind(Generic[P]):
    """One detector of the registry.

    Attributes:
        name: The name that a configuration gives.
        parameters: Its settings, with their bounds.
        make: Makes one that watches no series yet.
        trial: Settings with which a few hundred steps are enough to see it at work: for compiling
            its kernels ahead and for the tests that every detector must pass.
        loss_steps: After so many steps of a total loss it has told of it.
        volume: Whether it must be told of how many the values are a part.
    """

    name: str
    parameters: type[P]
    make: Callable[[P], Detector]
    trial: P
    loss_steps: int = 2
    volume: bool = False

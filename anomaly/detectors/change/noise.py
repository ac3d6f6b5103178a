"""The noise of a line: how far innovations are usually off, and how alike neighbours are."""

from __future__ import annotations

import math

from anomaly.detectors.change.row import (
    BEFORE,
    BLOCK,
    BLOCKS,
    DISPERSION,
    IN_BLOCK,
    INNOVATION,
    POWER,
    PRODUCTS,
    ROOT,
    ROOT_BLOCK,
    ROOT_DISPERSION,
    ROOT_SQUARE,
    SHARE,
    TREND,
)
from anomaly.detectors.change.settings import ChangeSettings
from anomaly.detectors.dispersion import learned_dispersion
from anomaly.detectors.residual import SEEN, ResidualSettings, noise_of
from collectors.kernel import inlined
from collectors.model import FloatArray

CLIP = 3.0
"""An innovation counts for no more sigmas."""
CLIP_SCALE = 4.0
_MEMORY = 0.01
_BLOCK_STEPS = 12.0
_TREND_SHARE = 0.25
_MAX_ALIKE = 0.95


@inlined
def clipped(value: float, most: float) -> float:
    """Return a value no farther from 0 than ``most``."""
    return min(most, max(-most, value))


@inlined
def alike(state: FloatArray, i: int) -> float:
    """Return how alike neighbours are: the coefficient of a first-order autoregression."""
    power = state[POWER, i]
    found = state[PRODUCTS, i] / power if power > 0.0 else 0.0
    return float(min(_MAX_ALIKE, max(0.0, found)))


@inlined
def innovation_noise(state: FloatArray, i: int, total: float, settings: ChangeSettings) -> float:
    """Return the usual size of an innovation of a series whose level is ``total``."""
    like = alike(state, i)
    least = noise_of(state, i, settings.residual) * math.sqrt(1.0 - like * like)
    share = math.sqrt(max(0.0, state[SHARE, i])) * abs(total)
    return float(max(least, share, math.sqrt(max(0.0, state[INNOVATION, i]))))


@inlined
def root_z(state: FloatArray, i: int, root: float) -> float:
    """Return how many sigmas the root of an innovation's size is from what is usual."""
    mean = state[ROOT, i]
    variance = max(0.0, state[ROOT_SQUARE, i] - mean * mean)
    return clipped((root - mean) / max(0.2, math.sqrt(variance)), CLIP)


@inlined
def learn_noise(
    state: FloatArray, i: int, residual: float, innovation: float, root: float, total: float
) -> None:
    """Take a residual, its innovation and the root of the size of that into what is usual."""
    weight = max(_MEMORY, 1.0 / max(1.0, state[SEEN, i]))
    before = state[BEFORE, i]
    state[PRODUCTS, i] += weight * (residual * before - state[PRODUCTS, i])
    state[POWER, i] += weight * (before * before - state[POWER, i])
    state[INNOVATION, i] += weight * (innovation * innovation - state[INNOVATION, i])
    share = min(1.0, innovation * innovation / (total * total)) if total != 0.0 else 0.0
    state[SHARE, i] += weight * (share - state[SHARE, i])
    state[ROOT, i] += weight * (root - state[ROOT, i])
    state[ROOT_SQUARE, i] += weight * (root * root - state[ROOT_SQUARE, i])


@inlined
def learn_trend(
    state: FloatArray, i: int, residual: float, noise: float, base: ResidualSettings
) -> None:
    """Let the level go on as it has gone of late, a little."""
    share = base.alpha * base.alpha * _TREND_SHARE
    state[TREND, i] += share * clipped(residual, 2.0 * noise)


@inlined
def learn_blocks(state: FloatArray, i: int, z: float, root: float) -> None:
    """Take an innovation and the root of its size into their block, and a full one into both."""
    state[BLOCK, i] += z
    state[ROOT_BLOCK, i] += root
    state[IN_BLOCK, i] += 1.0
    if state[IN_BLOCK, i] >= _BLOCK_STEPS:
        state[BLOCKS, i] += 1.0
        seen = state[BLOCKS, i] + 1.0
        for row in (DISPERSION, ROOT_DISPERSION):
            block = row + ROOT_BLOCK - ROOT_DISPERSION
            squared = state[block, i] ** 2 / _BLOCK_STEPS
            state[row, i] = learned_dispersion(state[row, i], squared, seen)
            state[block, i] = 0.0
        state[IN_BLOCK, i] = 0.0

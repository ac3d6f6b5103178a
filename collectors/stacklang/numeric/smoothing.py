"""Double exponential smoothing: a line's level and trend predict its next value.

Holt, "Forecasting seasonals and trends by exponentially weighted moving averages" (1957). The
sliding form (``:sdes``) runs two smoothings and restarts one of them every training period, so
that a prediction depends only on the last two periods and not on where the graph begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from collectors.model import FloatArray, IntArray
from collectors.stacklang.numeric.algorithms import Rows, grow


@njit(cache=True, nogil=True)
def _smooth(
    values: FloatArray,
    training: int,
    alpha: float,
    beta: float,
    level: FloatArray,
    trend: FloatArray,
    count: IntArray,
    out: FloatArray,
) -> None:
    for line in range(values.shape[0]):
        for step in range(values.shape[1]):
            out[line, step] = level[line] if count[line] >= training else np.nan
            value = values[line, step]
            if np.isnan(value):
                continue
            if count[line] == 0:
                level[line] = value
                trend[line] = 0.0
            else:
                before = level[line]
                level[line] = alpha * value + (1 - alpha) * (before + trend[line])
                trend[line] = beta * (level[line] - before) + (1 - beta) * trend[line]
            count[line] += 1


class Smoothing:
    """``:des``: the value expected at each step from those before it.

    Args:
        training: Number of values before the first prediction.
        alpha: Weight of a new value for the level, 0 to 1.
        beta: Weight of a new change for the trend, 0 to 1.
    """

    memory_steps: int | None = None

    def __init__(self, training: int, alpha: float, beta: float) -> None:
        self._training = training
        self._alpha = alpha
        self._beta = beta
        self._level: FloatArray = np.empty(0)
        self._trend: FloatArray = np.empty(0)
        self._count: IntArray = np.empty(0, dtype=np.int64)

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the predictions; NaN while training. Missing values change nothing."""
        lines = values.shape[0]
        self._level = grow(self._level, lines)
        self._trend = grow(self._trend, lines)
        new = np.zeros(max(0, lines - len(self._count)), dtype=np.int64)
        self._count = np.concatenate([self._count, new])
        out = np.empty_like(values)
        _smooth(
            np.ascontiguousarray(values),
            self._training,
            self._alpha,
            self._beta,
            self._level,
            self._trend,
            self._count,
            out,
        )
        return out

    def restart(self) -> None:
        """Forget everything about every line."""
        self._level[:] = np.nan
        self._trend[:] = np.nan
        self._count[:] = 0

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        self._level = self._level[rows]
        self._trend = self._trend[rows]
        self._count = self._count[rows]


class SlidingSmoothing:
    """``:sdes``: two smoothings taking turns, each restarted when the other takes over.

    Args:
        training: Length of a turn in steps, and values before the first prediction.
        alpha: As for :class:`Smoothing`.
        beta: As for :class:`Smoothing`.
        skip: Steps to the next multiple of the training period; values before it don't count, so
            that turns begin at the same times wherever the graph begins.
    """

    memory_steps: int | None = None

    def __init__(self, training: int, alpha: float, beta: float, skip: int = 0) -> None:
        self._training = max(1, training)
        self._skip = skip
        self._step = 0
        self._both = (Smoothing(training, alpha, beta), Smoothing(training, alpha, beta))
        self._turn = 0

    def advance(self, values: FloatArray) -> FloatArray:
        """Return the predictions of the smoothing whose turn it is."""
        pieces: list[FloatArray] = []
        done = min(self._skip, values.shape[1])
        self._skip -= done
        pieces.append(np.full((values.shape[0], done), np.nan))
        while done < values.shape[1]:
            length = min(self._training - self._step, values.shape[1] - done)
            piece = values[:, done : done + length]
            predicted = [smoothing.advance(piece) for smoothing in self._both]
            pieces.append(predicted[self._turn])
            done += length
            self._step += length
            if self._step == self._training:
                self._both[self._turn].restart()
                self._turn = 1 - self._turn
                self._step = 0
        return np.concatenate(pieces, axis=1)

    def keep(self, rows: Rows) -> None:
        """Forget all lines but those at ``rows``."""
        for smoothing in self._both:
            smoothing.keep(rows)

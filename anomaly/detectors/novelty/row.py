"""Where in a series' row of state each part keeps its numbers.

A row holds all that is known of one series, in single precision: what a step touches lies together.
A row of zeros is a series of which nothing is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RowArray = NDArray[np.float32]
"""Shape (series, ``ROW``)."""

KNOTS = 12
"""Points of a day between which its usual course is interpolated."""
PAIRS = 80
"""Pairs of neighbouring residuals remembered."""
BLOCKS = 4
"""Finished blocks of movement remembered."""
BINS = 32
"""Bins of a tail."""
PEAKS = 16
"""Peaks of earlier episodes remembered."""

SEEN = 0
"""Values seen so far, less what :mod:`.ageing` has taken away."""
LAST = 1
"""The newest value, from the first one on."""
RESIDUAL = 2
"""The newest residual."""
WEIGHT = 3
"""What a value seen now weighs in a tail."""

USUAL = 4
TAUGHT = USUAL + KNOTS
"""Values that each knot was learned from."""

NOW = TAUGHT + KNOTS
"""Residuals of the remembered pairs, and those one value before."""
BEFORE = NOW + PAIRS
PRIORITY = BEFORE + PAIRS
FILLED = PRIORITY + PAIRS
WAITING = FILLED + 1
"""Two pairs that are not remembered yet, each with its priority."""

MOVED = WAITING + 6
"""Movement in the finished blocks, then in the running one and the values in it."""
BLOCK = MOVED + BLOCKS
IN_BLOCK = BLOCK + 1
BLOCK_COUNT = IN_BLOCK + 1

TAIL_SIZE = BINS + 2
RESIDUAL_TAIL = BLOCK_COUNT + 1
"""Each tail: its bins from the top, the exponent of the top, the weight of all values."""
PATTERN_TAIL = RESIDUAL_TAIL + TAIL_SIZE
QUIET_TAIL = PATTERN_TAIL + TAIL_SIZE

ALARM = QUIET_TAIL + TAIL_SIZE
"""Level of the newest alarm and when it was; the same of alarms that may page."""
ALARM_AT = ALARM + 1
RAISED = ALARM_AT + 1
RAISED_AT = RAISED + 1
EPISODE = RAISED_AT + 1
"""Highest surprise of the open episode, 0 for none, and when its newest alarm was."""
EPISODE_AT = EPISODE + 1
PEAK = EPISODE_AT + 1
PEAK_AT = PEAK + PEAKS

HELD = PEAK_AT + PEAKS
"""Values since an alarm that is held, from 1; 0 for none. Its highest score, and evidence since."""
HELD_SCORE = HELD + 1
HELD_EVIDENCE = HELD_SCORE + 1

LEARNED = HELD_EVIDENCE + 1
"""Values since learning began, or began afresh."""
WHY = LEARNED + 1
"""The smallest of each of the three log probabilities since the alarm that is held or stands."""
THEN = WHY + 3
"""The knots when that alarm began, and the largest usual size of residuals then."""
LIMIT = THEN + KNOTS

ROW = LIMIT + 1

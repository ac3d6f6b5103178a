"""Where the change detector keeps what in the columns of its state."""

from __future__ import annotations

from anomaly.detectors.residual import ROWS

# Rows of the state array after those of the residual: sums of products and of squares of
# neighbouring residuals, the newest one, mean square of innovations, mean and mean square of the
# root of an innovation's size; how the level moves from step to step; mean square of innovations as
# a share of the level, for many a line is noisier where it is busier; steps of the block that is
# filling, blocks so far; dispersions of the sums of blocks, and those of the one that is filling.
PRODUCTS, POWER, BEFORE, INNOVATION, ROOT, ROOT_SQUARE = range(ROWS, ROWS + 6)
TREND, SHARE, IN_BLOCK, BLOCKS = range(ROWS + 6, ROWS + 10)
DISPERSION, ROOT_DISPERSION, BLOCK, ROOT_BLOCK = range(ROWS + 10, ROWS + 14)
# The first value and, until a whole day is known, the values of it; the largest residual.
FIRST, IN_DAY, WIDEST = range(ROWS + 14, ROWS + 17)
# Sums of the four charts (up, down, wider, narrower), steps since each was 0, then, of a series
# that is anomalous, its chart (from 1), by how many sigmas it changed, and by how many it is off.
SUM = ROWS + 17
RUN = SUM + 4
CHART, SIZE, OFF = range(RUN + 4, RUN + 7)
STATE_ROWS = RUN + 7

CHARTS = 4
WIDER = 2
"""The first of the two charts of spread."""

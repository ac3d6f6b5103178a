"""Spans by when they began and how long they took: ``/api/v2/heat-map``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.comparing import looked_told
from collectors.api.parameters import Parameters
from collectors.api.studies.stretch import read_stretch
from collectors.api.traces import SpanReader, read_search
from collectors.clock import Clock
from collectors.traces.heat import BOUNDS_NS, MAX_HEAT_COLUMNS, HeatMap, grid_of
from collectors.traces.reach.heat import heat_map
from collectors.traces.search import NANOS_PER_MS

DEFAULT_HEAT_MS = 900_000
_COLUMNS = 60
_EDGES_MS = [bound / NANOS_PER_MS for bound in BOUNDS_NS]


def heat_answer(spans: SpanReader, clock: Clock) -> Callable[[Request], Response]:
    """Return the answer to a heat map of the spans that the conditions of a search mean.

    ``start_ms`` and ``end_ms``, or ``last_ms``, bound when spans began, the last 15 minutes if not
    said; ``columns`` says into how many stretches that is divided.
    """

    def answer(request: Request) -> Response:
        parameters = Parameters.of(request)
        start_ms, end_ms = read_stretch(parameters, clock, DEFAULT_HEAT_MS)
        columns = parameters.integer("columns", _COLUMNS, low=1, high=MAX_HEAT_COLUMNS)
        wanted = read_search(parameters)
        found, looked = heat_map(spans, wanted, grid_of(start_ms, end_ms, columns))
        return json_response({**_told(found), **looked_told(looked)})

    return answer


def _told(found: HeatMap) -> dict[str, object]:
    grid = found.grid
    return {
        "start_ms": grid.start_ms,
        "end_ms": grid.end_ms,
        "step_ms": grid.step_ms,
        "spans": round(float(found.counts.sum())),
        "observed": int(found.observed.sum()),
        "cells": [
            {
                "start_ms": grid.start_ms + column * grid.step_ms,
                "min_ms": _EDGES_MS[row],
                "max_ms": _EDGES_MS[row + 1] if row + 1 < len(_EDGES_MS) else None,
                "spans": round(float(found.counts[row, column])),
                "failed": round(float(found.errors[row, column])),
            }
            for row, column in np.argwhere(found.observed).tolist()
        ],
    }

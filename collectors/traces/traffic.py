"""What the edges of the service map carried, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray
from collectors.traces.search import NANOS_PER_MS
from collectors.traces.service_map import Calls, columns_of

_NANOS_PER_S = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeTraffic:
    """Calls from one service to another, each counted for as many as it stands for.

    Attributes:
        client: Who called.
        server: Who was called.
        calls: (steps,) how many began in each step.
        seconds: (steps,) what they took together, as the caller saw it.
        errors: (steps,) how many of them failed.
        place: Region where they were answered, or else made; "" when no span says.
    """

    client: str
    server: str
    calls: FloatArray
    seconds: FloatArray
    errors: FloatArray
    place: str = ""


def traffic_of(calls: Calls, step_ms: int) -> list[EdgeTraffic]:
    """Return what each edge carried in each whole step, ordered by client, server and place."""
    found = columns_of(calls)
    step_ns = step_ms * NANOS_PER_MS
    steps = (calls.end_ns - calls.start_ns) // step_ns
    numbers, place = np.unique(found.edge, return_inverse=True)
    step = (found.start_ns - calls.start_ns) // step_ns
    # What began in a last step that is not whole falls into a column that nobody is shown.
    cell = place * (steps + 1) + np.minimum(step, steps)
    weight = found.weight

    def added(amounts: FloatArray) -> FloatArray:
        sums = np.bincount(cell, weights=amounts, minlength=len(numbers) * (steps + 1))
        return sums.reshape(len(numbers), steps + 1)[:, :steps].astype(np.float64)

    counted, errors = added(weight), added(weight * found.failed)
    seconds = added(weight * found.client_ns / _NANOS_PER_S)
    edges = [
        EdgeTraffic(
            client=found.names[number][0],
            server=found.names[number][1],
            calls=counted[at],
            seconds=seconds[at],
            errors=errors[at],
            place=found.names[number][2],
        )
        for at, number in enumerate(numbers.tolist())
    ]
    return sorted(edges, key=lambda one: (one.client, one.server, one.place))

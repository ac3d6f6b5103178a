"""Which stretch of time a question is about: from and to, or the last so long."""

from __future__ import annotations

from collectors.api.parameters import Parameters, refuse
from collectors.api.traces import MAX_TIME_MS
from collectors.clock import Clock

MAX_STRETCH_MS = 86_400_000


def read_stretch(parameters: Parameters, clock: Clock, default_ms: int) -> tuple[int, int]:
    """Return ``start_ms`` and ``end_ms``; without these ``last_ms`` up to now, else the default.

    Raises:
        InputError: The end does not come after the start, or both are more than a day apart.
    """
    end_ms = parameters.integer("end_ms", clock.now_ms(), low=1, high=MAX_TIME_MS)
    last_ms = parameters.integer("last_ms", default_ms, low=1, high=MAX_STRETCH_MS)
    start_ms = parameters.integer("start_ms", max(0, end_ms - last_ms), low=0, high=MAX_TIME_MS)
    if end_ms <= start_ms:
        raise refuse(f"end_ms {end_ms} is not after start_ms {start_ms}")
    if end_ms - start_ms > MAX_STRETCH_MS:
        raise refuse(
            f"from start_ms {start_ms} to end_ms {end_ms} it is more than {MAX_STRETCH_MS:,} ms"
        )
    return start_ms, end_ms

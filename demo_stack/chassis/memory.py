"""What the process of an instance takes of the machine's memory, as OpenTelemetry names it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

_STATM = Path("/proc/self/statm")


def measure_memory(meter: Meter) -> None:
    """Report ``process.memory.usage``, bytes: instances of one process all report the same.

    Where the system does not tell, nothing is reported.
    """
    meter.create_observable_gauge(
        "process.memory.usage",
        callbacks=[_resident],
        unit="By",
        description="Resident memory of the process that the instance runs in.",
    )


def _resident(_options: CallbackOptions) -> Iterable[Observation]:
    with suppress(OSError, ValueError, IndexError):
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
        yield Observation(pages * os.sysconf("SC_PAGE_SIZE"))

"""What the process runs on: its disk, and where faults of it are told."""

from __future__ import annotations

from dataclasses import dataclass, field

from collectors.host.disk import SYSTEM_DISK, Disk
from collectors.host.faults import Faults
from collectors.host.steady_clock import Witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Handed to whatever keeps something.

    Attributes:
        disk: Where bytes become durable.
        faults: Hears of what can't be written or read, and when that is over.
        witness: Hears of the times of what is sent; None where nobody doubts the clock.
    """

    disk: Disk = SYSTEM_DISK
    faults: Faults = field(default_factory=Faults)
    witness: Witness | None = None

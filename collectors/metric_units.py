"""Units of metrics as their senders tell them, bounded; memory only, as exports repeat them."""

from __future__ import annotations

import threading
from collections import OrderedDict

MAX_UNITS = 20_000
_MAX_CHARS = 63  # the longest instrument unit of OpenTelemetry
# Prometheus names end in their base unit, before the suffix that says what is counted.
_PARTS = ("_total", "_sum", "_count", "_bucket", "_max", "_min")
_SUFFIXES = {"seconds": "s", "bytes": "By", "ratio": "1", "celsius": "Cel", "volts": "V"}
_SUFFIXES |= {"milliseconds": "ms", "percent": "%", "joules": "J", "grams": "g", "meters": "m"}


class MetricUnits:
    """Remembers one unit (UCUM) a metric; those told least recently are forgotten first."""

    def __init__(self) -> None:
        self._units: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._units)

    def tell(self, name: str, unit: str) -> None:
        """Remember the unit of a metric; an empty one says nothing."""
        if not unit or self._units.get(name) == unit:
            return
        with self._lock:
            self._units[name] = unit[:_MAX_CHARS]
            self._units.move_to_end(name)
            if len(self._units) > MAX_UNITS:
                self._units.popitem(last=False)

    def unit(self, name: str) -> str:
        """Return the unit that was told, else the one that the name ends in; empty: not known."""
        return self._units.get(name) or unit_of_name(name)


def unit_of_name(name: str) -> str:
    """Return the unit that a name in Prometheus's manner ends in, empty if there is none.

    Source: prometheus.io/docs/practices/naming, "base units". Counts of a histogram have none.

    >>> unit_of_name("process_resident_memory_bytes"), unit_of_name("rpc_seconds_sum")
    ('By', 's')
    >>> unit_of_name("rpc_seconds_count"), unit_of_name("up")
    ('', '')
    """
    if name.endswith(("_count", "_bucket")):
        return ""
    for part in _PARTS:
        name = name.removesuffix(part)
    return _SUFFIXES.get(name.rpartition("_")[2], "") if "_" in name else ""

"""A bound that is fixed in the code, and how a bound is worded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from tocsin.client.wording import duration, size


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound that is fixed in the code.

    Attributes:
        where: Module and constant, ``collectors.api.graph:MAX_LINES``.
        what: What it bounds.
        at: What happens at it.
    """

    where: str
    what: str
    at: str

    @property
    def value(self) -> str:
        """The bound with its unit, as it holds now."""
        module, _, name = self.where.partition(":")
        return worded(name, getattr(import_module(module), name))


def worded(name: str, value: object) -> str:
    """Return a bound with the unit that its name ends in.

    >>> worded("MAX_AGE_MS", 90_000)
    '1 min 30 s'
    >>> worded("max_body_bytes", 64 << 20)
    '64 MiB'
    """
    if not isinstance(value, int | float):
        return f"`{value}`"
    match name.lower().rpartition("_")[2]:
        case "bytes":
            return size(value)
        case "ms":
            return duration(value / 1_000)
        case "s":
            return duration(value)
        case _:
            return f"{value:,}"

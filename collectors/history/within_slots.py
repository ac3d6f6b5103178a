"""A predicate that history alone knows: the series is in one of some slots.

A series' number in history is the first half of its identity. Without what the pair of its kind
adds, its highest byte is the slot; see :mod:`collectors.store.series.slots`.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.history.engine import quoted
from collectors.model import DSTYPE
from collectors.stacklang.predicates.predicate import AnyOf


@dataclass(frozen=True, slots=True)
class WithinSlots(AnyOf):
    """The series is in one of these slots.

    Attributes:
        slots: Which, ascending.
        kinds: What the pair of each kind adds to a series' number.
    """

    slots: tuple[int, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()

    def condition(self) -> str:
        """Return it as SQL on the columns ``series`` and ``tags``."""
        if not self.slots:
            return "0"
        kind = f"tags[{quoted(DSTYPE)}]"
        cases = ", ".join(f"{kind} = {quoted(k)}, toUInt64({n})" for k, n in self.kinds)
        plain = f"toUInt64(series - multiIf({cases}, toUInt64(0)))"
        return f"intDiv({plain}, {1 << 56}) IN ({', '.join(map(str, self.slots))})"

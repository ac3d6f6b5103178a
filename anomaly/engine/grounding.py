"""Rules that ask and write by themselves are introduced to the store, and taken leave of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anomaly.engine.blindness import Blindness
from anomaly.rules.ground import Ground, Grounded
from anomaly.rules.rule import Rule


class Grounding:
    """What such rules stand on.

    Args:
        ground: The store, and what outlives the process; None: these rules rest.
        blindness: Must not take what they write for somebody who can be heard.
    """

    def __init__(self, ground: Ground | None, blindness: Blindness) -> None:
        self._ground = ground
        self._blindness = blindness

    def begin(self, rule: Rule[Any]) -> None:
        """Have a rule that is new take up where it was."""
        if self._ground is not None and isinstance(rule, Grounded):
            rule.begin(self._ground)

    def watch(self, rules: Sequence[Rule[Any]]) -> None:
        """Take note of all rules that are watched now."""
        names = (rule.writes for rule in rules if isinstance(rule, Grounded))
        self._blindness.leave_out(frozenset[str]().union(*names))

    def leave(self, rule: Rule[Any], rules: Sequence[Rule[Any]]) -> None:
        """Have a rule that is gone end what it wrote; ``rules`` are watched."""
        if isinstance(rule, Grounded):
            rule.leave([one.name for one in rules])

    def flush(self) -> None:
        """Have where rules stand outlive the process."""
        if self._ground is not None:
            self._ground.memory.flush()

"""Findings on their way from the engine to the desk: passed on while this node speaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from anomaly.findings import Finding, FindingKind, FindingSink
from runbooks.desk.waiting import Waiting

_OWN = frozenset({FindingKind.ALERT, FindingKind.OWN_FAULT})
"""Told to this node, or about it: nobody else passes them on."""
_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """When a process begins to answer for what its engine finds."""

    @property
    def sink(self) -> FindingSink:
        """Where the engine's findings go."""
        ...

    def begins(self) -> bool:
        """Whether it begins now; asked once a tick, after the engine."""
        ...

    def hand_over(self, present: Iterable[Finding]) -> None:
        """Pass on what is open at the beginning."""
        ...


class Alone:
    """One process: it begins with its first tick, and its findings go to the desk directly.

    Args:
        desk: Takes them.
    """

    def __init__(self, desk: FindingSink) -> None:
        self.sink = desk
        self._begun = False

    def begins(self) -> bool:
        """Return True the first time."""
        before, self._begun = self._begun, True
        return not before

    def hand_over(self, present: Iterable[Finding]) -> None:
        """Do nothing: the desk has them."""


class Led:
    """One of several nodes: its findings go to the desk while it speaks.

    A :class:`~anomaly.findings.FindingSink`. One thread gives findings and asks whether to begin.

    Args:
        desk: Takes them.
        waiting: The desk's queue: what waits there is the next leader's once this one is silent.
        speaks: Whether this node speaks; must not wait.
        judged: Called in each turn: the engine has judged what there is.
    """

    def __init__(
        self,
        desk: FindingSink,
        waiting: Waiting,
        speaks: Callable[[], bool],
        judged: Callable[[], object] = lambda: None,
    ) -> None:
        self._judged = judged
        self._desk = desk
        self._waiting = waiting
        self._speaks = speaks
        self._begun = False

    @property
    def sink(self) -> FindingSink:
        """Itself."""
        return self

    def receive(self, finding: Finding) -> None:
        """Pass ``finding`` on, or know that whoever speaks has it."""
        if self._begun and self._speaks():
            self._desk.receive(finding)

    def begins(self) -> bool:
        """Return whether it speaks and did not before; forget what waits if it is the other way."""
        self._judged()
        before, self._begun = self._begun, self._speaks()
        if before and not self._begun:
            _log.warning("findings are another node's from now on")
            self._waiting.leave(_OWN)
        return self._begun and not before

    def hand_over(self, present: Iterable[Finding]) -> None:
        """Pass on what is open: whoever spoke before may have been killed before it did."""
        told = [*present]
        _log.warning("findings are this node's from now on", open=len(told))
        for finding in told:
            self._desk.receive(finding)

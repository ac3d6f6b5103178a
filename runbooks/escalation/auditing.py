"""Who watches the pager: finds escalations that stand still, and those that nobody answered.

It runs beside what takes the steps, in another thread: what hangs does not report itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import InputError
from collectors.host.faults import Faults
from runbooks.escalation import store
from runbooks.escalation.store import DueStep, Run, RunState
from runbooks.incidents.incident import Incident

STALLED = "escalation timer"
EXHAUSTED = "escalation to anybody"
STALLED_AFTER_MS = 60_000
"""A step that is due for this long and not taken stands still."""

LOOK_EVERY_MS = 10_000
_OWN_RULES = "own/"
_MAX_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the last look found: how many steps wait, stand still, and how many nobody answered."""

    waiting: int = 0
    stalled: int = 0
    exhausted: int = 0


class Auditor:
    """Looks at the rows themselves, whoever is to take them.

    Args:
        engine: The incident database.
        incident: Returns an incident by its id.
        faults: Hears of what it finds; that raises a finding about ourselves.
    """

    def __init__(self, engine: Engine, incident: Callable[[str], Incident], faults: Faults) -> None:
        self._engine = engine
        self._incident = incident
        self._faults = faults
        self._looked_ms: int | None = None
        self.latest = Audit()

    def tick(self, now_ms: int) -> None:
        """Look, if the last look is old enough."""
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < LOOK_EVERY_MS:
            return
        self._looked_ms = now_ms
        try:
            with self._engine.connect() as connection:
                due = store.due_steps(connection, now_ms)
                exhausted = store.runs_in(connection, RunState.EXHAUSTED)
        except SQLAlchemyError:
            return  # the database is a fault of its own, and told as one
        stalled = [step for step in due if now_ms - step.step.due_ms > STALLED_AFTER_MS]
        unanswered = [run for run in exhausted if not self._is_our_own(run)]
        self.latest = Audit(waiting=len(due), stalled=len(stalled), exhausted=len(unanswered))
        self._tell_stalled(stalled)
        self._tell_exhausted(unanswered)

    def _tell_stalled(self, stalled: Sequence[DueStep]) -> None:
        if not stalled:
            self._faults.over(STALLED)
            return
        named = _named([step.incident_id for step in stalled])
        self._faults.failed(
            STALLED,
            place="the incident database",
            reason=f"{len(stalled)} steps are due for more than a minute and not taken: {named}",
            lost="the next level is not rung; answer those incidents by hand",
        )

    def _tell_exhausted(self, unanswered: Sequence[Run]) -> None:
        if not unanswered:
            self._faults.over(EXHAUSTED)
            return
        named = _named([f"{run.incident_id} ({run.policy.title})" for run in unanswered])
        self._faults.failed(
            EXHAUSTED,
            place="escalation/",
            reason=f"nobody acknowledged, and no step is left: {named}",
            lost="nobody is known to be on it",
        )

    def _is_our_own(self, run: Run) -> bool:
        """Whether an incident is only about ourselves: it would keep this very fault alive."""
        try:
            findings = self._incident(run.incident_id).findings.values()
        except InputError:
            return False
        return bool(findings) and all(f.rule.startswith(_OWN_RULES) for f in findings)


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")

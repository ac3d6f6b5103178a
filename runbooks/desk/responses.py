"""What people ask: of one incident, of two at once, or of one that is not there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.clock import Clock
from collectors.errors import ConflictError
from runbooks.alerts.severity import assess
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import Command, Declare, MergeInto, OpenApart, SplitOff, TakeOver
from runbooks.incidents.incident import Incident
from runbooks.incidents.pace import NotePace
from runbooks.incidents.states import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a person says who declares an incident; ``scope`` is where, by tag."""

    title: str
    severity: Severity
    actor: str
    text: str = ""
    scope: Mapping[str, str] = field(default_factory=dict)
    started_ms: int | None = None


class Responses:
    """Carries out, declares, merges and splits; each in one transaction.

    Args:
        ledger: Where incidents are.
        clock: The present.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._pace = NotePace(clock)

    def execute(self, incident_id: str, *commands: Command) -> Incident:
        """Carry out people's commands on one incident.

        Raises:
            TooManyError: Somebody writes more notes than people can read.
        """
        for command in commands:
            self._pace.check(command)
        return self._ledger.execute(incident_id, *commands)

    def declare(self, said: Declaration) -> Incident:
        """Open an incident by a person's word; it rings as any other.

        Raises:
            ConflictError: It is said to begin in the future.
        """
        if said.started_ms is not None and said.started_ms > self._clock.now_ms():
            raise ConflictError("an incident can't have started in the future; leave that out")

        def commands(incident_id: str) -> Sequence[Command]:
            declare = Declare(
                incident_id=incident_id,
                title=said.title,
                severity=said.severity,
                actor=said.actor,
                text=said.text,
                scope=said.scope,
                started_ms=said.started_ms,
            )
            return [declare]

        return self._ledger.open(commands)

    def merge(self, source_id: str, into_id: str, actor: str, text: str = "") -> Incident:
        """Let ``into_id`` take over all that ``source_id`` has; return the former.

        What pages rings there, unless its people know of it: no page is swallowed.

        Raises:
            NotFoundError: One of them does not exist.
            ConflictError: One of them can't.
        """
        with self._ledger.together():
            source = self._ledger.incident(source_id)
            self._ledger.execute(source_id, MergeInto(into=into_id, actor=actor, text=text))
            return self._ledger.execute(into_id, TakeOver(source=source, actor=actor, text=text))

    def split(
        self, source_id: str, finding_ids: Sequence[str], actor: str, text: str = ""
    ) -> Incident:
        """Move findings out into an incident of their own, which rings; return it.

        Raises:
            NotFoundError: There is no such incident.
            ConflictError: It does not have these findings, or no others.
        """
        source = self._ledger.incident(source_id)
        ids = tuple(dict.fromkeys(finding_ids))

        def commands(incident_id: str) -> Sequence[Command]:
            off = SplitOff(finding_ids=ids, into=incident_id, actor=actor, text=text)
            self._ledger.execute(source_id, off)
            findings = tuple(source.findings[one] for one in ids)
            severity, why = assess(findings)
            return [
                OpenApart(
                    incident_id=incident_id,
                    source=source_id,
                    findings=findings,
                    severity=severity,
                    why=why,
                    actor=actor,
                )
            ]

        with self._ledger.together():
            source = self._ledger.incident(source_id)
            return self._ledger.open(commands)

"""Pages without a record: duty before book-keeping.

An incident is written down before anybody is paged. While its database takes nothing - a full disk,
a lock that somebody holds - findings wait in memory; one that pages is told after some seconds all
the same, once, straight to the ways that its incident would take. When the database takes writes
again its incident is opened and paged as usual: that people are rung twice is better than never.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import structlog

from anomaly.findings import Finding, FindingState, Urgency
from collectors.errors import TocsinError
from runbooks.alerts.severity import assess
from runbooks.incidents.commands import Open
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Card
from runbooks.notifiers.delivery import Action, Delivery, Notifier
from runbooks.paging.routing import Routes, Target

INCIDENT_ID = "unrecorded"
_MAX_TOLD = 200
_MAX_OF_RULE = 5
_log = structlog.get_logger(__name__)


class Unrecorded:
    """Tells people of findings that can't be written down; one thread at a time.

    Args:
        notifiers: By the name that routes use.
        draw: Returns what a page about an incident says.
    """

    def __init__(self, notifiers: Mapping[str, Notifier], draw: Callable[[Incident], Card]) -> None:
        self._notifiers = notifiers
        self._draw = draw
        self._told: set[str] = set()
        self._of_rule: Counter[str] = Counter()

    def page(
        self, findings: Iterable[Finding], routes: Routes, fallbacks: Sequence[Target], now_ms: int
    ) -> int:
        """Tell those that page and that nobody was told of; return how many were told now.

        Of a rule that fires in many places the first few are told one by one: nothing groups them
        here, and a way that takes a message a second must be free for the next outage.
        """
        told = 0
        for finding in findings:
            if finding.state is not FindingState.FIRING or finding.urgency is not Urgency.PAGE:
                continue
            if finding.id in self._told or len(self._told) >= _MAX_TOLD:
                continue
            if self._of_rule[finding.rule] >= _MAX_OF_RULE:
                continue
            if self._reach(_incident(finding, now_ms), routes, fallbacks, now_ms):
                self._told.add(finding.id)
                self._of_rule[finding.rule] += 1
                told += 1
        return told

    def forget(self) -> None:
        """The database takes writes again: what comes is told as usual."""
        self._told.clear()
        self._of_rule.clear()

    def _reach(
        self, incident: Incident, routes: Routes, fallbacks: Sequence[Target], now_ms: int
    ) -> bool:
        """Tell each way of the incident; if none takes it, the others in turn."""
        wanted = routes.targets(incident)
        reached = [self._deliver(incident, target, now_ms) for target in wanted]
        if any(reached):
            return True
        others = (target for target in dict.fromkeys(fallbacks) if target not in wanted)
        return any(self._deliver(incident, target, now_ms) for target in others)

    def _deliver(self, incident: Incident, target: Target, now_ms: int) -> bool:
        notifier = self._notifiers.get(target.notifier)
        if notifier is None:
            return False
        card = self._draw(incident)
        words = "the incident database takes no writes; recorded when it does"
        if self._of_rule[_rule(incident)] + 1 >= _MAX_OF_RULE:
            words += "; further places of this rule are told then"
        note = ("Not recorded", words)
        card = replace(card, fields=(note, *card.fields[:9]), links=())
        delivery = Delivery(
            outbox_id=-(now_ms + len(self._told)),  # no row's, and no other page's
            action=Action.OPEN,
            channel=target.channel,
            card=card,
            text="",
            reference="",
            created_ms=now_ms,
        )
        try:
            notifier.deliver(delivery)
        except TocsinError as error:
            _log.error("unrecorded page not delivered", way=str(target), reason=error.message)
            return False
        except Exception:  # noqa: BLE001 - a defect of one way must not keep the others from ringing
            _log.exception("unrecorded page not delivered", way=str(target))
            return False
        _log.warning("paged without a record", way=str(target), title=incident.title)
        return True


def _incident(finding: Finding, now_ms: int) -> Incident:
    """Return the incident that ``finding`` would open, in memory alone."""
    severity, why = assess([finding])
    opened = Open(incident_id=INCIDENT_ID, finding=finding, severity=severity, why=why)
    return fold(decide(None, opened, now_ms), None)


def _rule(incident: Incident) -> str:
    return next(finding.rule for finding in incident.findings.values())

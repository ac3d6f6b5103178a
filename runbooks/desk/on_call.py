"""Who is called, and who watches: the rota, escalations, hand-overs, auditor, heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.host.faults import Faults
from runbooks.desk.calling import called_for
from runbooks.desk.ledger import Ledger
from runbooks.desk.notices import Mentions, Notices
from runbooks.desk.rota_watch import RotaWatch
from runbooks.escalation.auditing import Auditor
from runbooks.escalation.escalations import Escalations
from runbooks.escalation.policy import Policy
from runbooks.heartbeats.watch import HeartbeatWatch
from runbooks.incidents.incident import Incident
from runbooks.notifiers.card import Called
from runbooks.oncall.duty import Duty
from runbooks.oncall.roster import Roster


class OnCall:
    """Composes it.

    Args:
        ledger: Where incidents are.
        duty: What the documents say of who is on call.
        policies: Who is rung while nobody answers, by name.
        faults: Hears of gaps, and of escalations that stand still.
        heartbeats: What must report.
        withheld: Returns why an incident must ring nobody now, "" when it may.
    """

    def __init__(
        self,
        ledger: Ledger,
        duty: Duty | None,
        policies: Mapping[str, Policy] | None,
        faults: Faults,
        heartbeats: HeartbeatWatch,
        withheld: Callable[[Incident], str],
    ) -> None:
        engine = heartbeats.engine
        self._ledger = ledger
        self.heartbeats = heartbeats
        self.roster = Roster(engine, duty or Duty())
        self.notices = Notices(engine)
        self.escalations = Escalations(engine, ledger, policies, self.roster, withheld)
        self.auditor = Auditor(engine, ledger.incident, faults)
        self._watch = RotaWatch(self.roster, self.notices, faults)
        self._mentions = Mentions(ledger, self.roster, self.notices)

    def use(self, duty: Duty, policies: Mapping[str, Policy] | None) -> None:
        """Go on with other documents."""
        self.roster.use(duty)
        self.escalations.policies = dict(policies or {})

    def tick(self, now_ms: int) -> None:
        """Do what is due."""
        self.roster.tick(now_ms)
        self.escalations.tick(now_ms)
        self._watch.tick(now_ms)
        self._mentions.tick(now_ms)
        self.heartbeats.tick(now_ms)

    def called(self, incident: Incident, now_ms: int) -> Called | None:
        """Return whom an incident calls now; None if its route names nobody."""
        schedule = self._ledger.routes.schedule(incident)
        rung = self.escalations.called(incident, now_ms)
        return rung or called_for(self.roster.duty, schedule, now_ms)

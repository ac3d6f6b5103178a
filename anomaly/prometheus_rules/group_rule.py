"""A group of a rule file as the engine drives it: evaluated when it is due, findings out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import structlog

from anomaly.arrivals import Arrived
from anomaly.findings import Finding, FindingState
from anomaly.prometheus_rules import finding as findings
from anomaly.prometheus_rules.evaluating import (
    Manner,
    RuleStore,
    ask,
    evaluated,
    fresh_state,
    parsed_rule,
)
from anomaly.prometheus_rules.group import AlertingRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.group_view import group_view
from anomaly.prometheus_rules.measuring import Measured, unconditional
from anomaly.prometheus_rules.remembering import row_of, state_of
from anomaly.prometheus_rules.states import ActiveAlert, GroupState, Health, LabelKey, RuleState
from anomaly.prometheus_rules.stored import StoredRules
from anomaly.prometheus_rules.turns import Course, Frozen, Turn, turns
from anomaly.prometheus_rules.unheard import Heard, unheard_words
from anomaly.rules.ground import Ground
from anomaly.rules.refreshing import Refreshing
from anomaly.rules.rule import Current, Report, View
from collectors.budget import Budget, Turns
from collectors.budget import Memory as QueryMemory
from collectors.errors import TocsinError
from collectors.model import Frame
from collectors.promql.language.nodes import Node
from collectors.promql.language.printing import text_of
from collectors.promql.notation.series import STALE

MAX_CAUGHT_UP = 20
"""Evaluations that were missed and are made up for: those of the newest steps."""

MAX_RULE_SECONDS = 10.0
"""How long one rule may take."""

_RULE_MEMORY_BYTES = 1 << 30
_REACH_MS = 3_600_000
_PATIENCE_MS = 300_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a group is, to be read by anybody: replaced with each evaluation, never changed.

    Attributes:
        state: Where its rules stand.
        frozen: What fired until nobody measured it any more.
        unheard: What was never heard of, in words; empty when all was.
    """

    state: GroupState
    frozen: Frozen
    unheard: str = ""


class GroupRule:
    """Evaluates one group.

    Args:
        group: What it says.
        step_ms: Length of a step.
    """

    kind = "prometheus-rules"

    def __init__(self, group: RuleGroup, step_ms: int) -> None:
        self.group = group
        self.standing = Standing(state=fresh_state(group), frozen={})
        self._step_ms = step_ms
        self._refreshing = Refreshing(step_ms)
        self._ground: Ground | None = None
        self._store: RuleStore | None = None
        # Rules are in no queue with what strangers ask.
        self._turns, self._memory = Turns(1), QueryMemory(_RULE_MEMORY_BYTES)
        self._manner = Manner(bounded=self._bounded, now_s=time.monotonic)
        self._began_ms = 0
        self._orphans: tuple[LabelKey, ...] = ()
        self._restored = True
        self._arrived: Arrived | None = None
        self._parts = [unconditional(parsed_rule(rule.expr)) for rule in group.rules]

    # -- what the engine asks ----------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its file and its own name."""
        return self.group.name

    @property
    def expressions(self) -> Sequence[str]:
        """None: it asks the store itself, in PromQL."""
        return ()

    @property
    def interval_ms(self) -> int:
        """How often it is evaluated, milliseconds."""
        every_ms = self.group.interval_ms or self._step_ms
        return -(-every_ms // self._step_ms) * self._step_ms

    @property
    def reach_ms(self) -> int:
        """So far back missed evaluations are made up for."""
        return _REACH_MS

    @property
    def judged_ms(self) -> int:
        """As far as it reaches."""
        return _REACH_MS

    @property
    def writes(self) -> frozenset[str]:
        """The names of the series that it writes."""
        own = {rule.record for rule in self.group.rules if isinstance(rule, RecordingRule)}
        return frozenset(own | {"ALERTS", "ALERTS_FOR_STATE"})

    def begin(self, ground: Ground) -> None:
        """Take up where it was before a restart, or before the group was changed."""
        self._ground, self._store = ground, StoredRules(ground.store)
        self._manner = replace(self._manner, external_url=ground.external_url)
        self._began_ms = ground.clock.now_ms()
        row = ground.memory.take(self.name)
        if row is None:
            return
        try:
            state, frozen, self._orphans = state_of(self.group, row)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _log.error(
                "state of rules can't be read: they begin anew", group=self.name, why=str(error)
            )
            return
        if state.evaluated_ms > self._began_ms:
            _log.warning("state of rules is of the future: they begin anew", group=self.name)
            return
        unheard = str(row.get("unheard", ""))
        self.standing = Standing(state=state, frozen=frozen, unheard=unheard)
        self._restored = False
        self._remember(ground)

    def leave(self, names: Sequence[str]) -> None:
        """End the series that it wrote, unless another group has taken its name."""
        if self._ground is None or self._store is None or self.name in names:
            return
        self._ground.memory.drop(self.name)
        keys = {key for rule in self.standing.state.rules for key in rule.series}
        if keys:
            self._store.keep([(key, STALE) for key in keys], self._ground.clock.now_ms())

    def take(self, answers: Mapping[str, Frame], arrived: Arrived) -> None:
        """Take note of the next steps."""
        del answers
        self._arrived = arrived

    def mark(self) -> None:
        """Return nothing: what was recorded stays recorded, nothing is judged again."""

    def back_to(self, mark: None) -> None:
        """Stay: alerts are not taken back, as in Prometheus."""

    def learn(self, first: int, last: int, time_ms: int) -> None:
        """Do nothing: what lies so far back is not made up for."""

    def advance(self, first: int, last: int, time_ms: int) -> Iterator[tuple[int, Turn]]:
        """Evaluate the group in the steps in which it is due."""
        if not self._restored:
            # Whoever is told of what fires is told again after a restart.
            self._restored = True
            yield from ((self._newest_ms(time_ms), turn) for turn in self._standing_turns())
        for now_ms in self._due(first, last, time_ms):
            for turn in self._evaluate(now_ms):
                yield now_ms, turn

    def report(
        self, transition: Turn, current: Current, *, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        """Yield the finding that an alert, or a rule, makes or changes."""
        if transition.alert is not None:
            yield from self._of_alert(transition, current, time_ms, detected_ms)
        else:
            yield from self._of_rule(transition, current, time_ms, detected_ms)

    def view(self, faults: Mapping[str, str]) -> View:
        """Return what makes one row for each rule."""
        return group_view(self.group, self.standing.state, faults.get(self.name, ""))

    # -- evaluation --------------------------------------------------------------------------------

    def _bounded(self) -> AbstractContextManager[None]:
        budget = Budget(timeout_s=MAX_RULE_SECONDS, memory=self._memory, turns=self._turns)
        return budget.spending()

    def _newest_ms(self, time_ms: int) -> int:
        return max(time_ms, self.standing.state.evaluated_ms)

    def _due(self, first: int, last: int, time_ms: int) -> list[int]:
        """Return the ends of the steps in which it is to be evaluated."""
        if self._store is None:
            return []
        done_ms = self.standing.state.evaluated_ms or self._began_ms
        every_ms = self.group.interval_ms or self._step_ms
        missed: list[int] = []
        due: list[int] = []
        for at in range(first, last):
            now_ms = time_ms + (at - first) * self._step_ms
            if now_ms <= done_ms or now_ms // every_ms == (now_ms - self._step_ms) // every_ms:
                continue
            if now_ms > self._began_ms:
                due.append(now_ms)
            elif self._arrived is None or not self._arrived.blind[at]:
                missed.append(now_ms)  # nobody was here, but what was sent then has come
        # Who is behind must not fall further behind for it, and hold up all other rules.
        late = [*missed, *due][:-MAX_CAUGHT_UP]
        if late:
            _log.warning(
                "evaluations of rules are left out",
                group=self.name,
                count=len(late),
                from_ms=late[0],
                to_ms=late[-1],
            )
        return [*missed, *due][-MAX_CAUGHT_UP:]

    def _evaluate(self, now_ms: int) -> Sequence[Turn]:
        store, ground = self._store, self._ground
        if store is None or ground is None:
            return ()
        before = self.standing
        if self._orphans:
            store.keep([(key, STALE) for key in self._orphans], now_ms)
            self._orphans = ()
        state = evaluated(self.group, before.state, store, now_ms, self._manner)

        known: dict[int, Measured] = {}

        def measured(at: int, alert: ActiveAlert) -> bool:
            node = self._parts[at]
            if node is not None and at not in known:
                known[at] = self._measured(store, node, now_ms)
            return node is None or alert.element in known[at]

        found, frozen = turns(before.state, state, before.frozen, measured)
        state, unheard, heard = self._listen(store, state, before.unheard, now_ms)
        self.standing = Standing(state=state, frozen=frozen, unheard=unheard)
        self._remember(ground)
        return [*found, *heard]

    def _remember(self, ground: Ground) -> None:
        now = self.standing
        row = row_of(self.group, now.state, now.frozen)
        ground.memory.put(self.name, {**row, "unheard": now.unheard})

    def _measured(self, store: RuleStore, node: Node, now_ms: int) -> Measured:
        """Return what an expression without its conditions has; nothing if it can't be asked."""
        asked_ms = now_ms - self.group.query_offset_ms
        try:
            with self._bounded():
                there = ask(text_of(node), store.samples(), asked_ms, self._manner, node)
        except TocsinError:
            return Measured(())
        return Measured(there)

    def _listen(
        self, store: RuleStore, state: GroupState, before: str, now_ms: int
    ) -> tuple[GroupState, str, list[Turn]]:
        """Find out whether what rules ask for was ever there, now and then."""
        asleep = now_ms - self._began_ms < _PATIENCE_MS
        if asleep or now_ms // _PATIENCE_MS == (now_ms - self._step_ms) // _PATIENCE_MS:
            return state, before, []
        rules: list[RuleState] = []
        words: list[str] = []
        asked, source = Heard(), store.samples()
        for rule, known in zip(self.group.rules, state.rules, strict=True):
            with self._bounded():
                lacks = "" if known.ever else unheard_words(rule, source, now_ms, asked)
            words += [lacks] if lacks else []
            rules.append(replace(known, ever=lacks == ""))
        told = "; ".join(dict.fromkeys(words))
        state = replace(state, rules=tuple(rules))
        course = Course.UNHEARD if told else Course.HEARD if before else None
        return state, told, [] if course is None else [Turn(course=course, rule=-1, why=told)]

    def _standing_turns(self) -> Iterator[Turn]:
        standing = self.standing
        yield from turns(fresh_state(self.group), standing.state, {}, lambda *_: True)[0]
        for (at, key), (alert, _) in standing.frozen.items():
            yield Turn(course=Course.STILL_FIRES, rule=at, key=key, alert=alert)
            yield Turn(course=Course.UNMEASURED, rule=at, key=key, alert=alert)
        if standing.unheard:
            yield Turn(course=Course.UNHEARD, rule=-1, why=standing.unheard)

    # -- findings ----------------------------------------------------------------------------------

    def _of_alert(
        self, turn: Turn, current: Current, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        rule, alert = self.group.rules[turn.rule], turn.alert
        if not isinstance(rule, AlertingRule) or alert is None:
            return
        key = (self.kind, self.name, rule.name, turn.key)
        known = current(key)
        found: Finding | None = None
        match turn.course:
            case Course.FIRES | Course.STILL_FIRES if known is None:
                found = findings.firing(
                    self.group, rule, alert, detected_ms=detected_ms, time_ms=time_ms
                )
            case Course.FIRES | Course.STILL_FIRES if known is not None:
                thawed = known.state is FindingState.FROZEN
                if thawed or self._refreshing.due(known, time_ms):
                    found = findings.updated(known, rule, alert, time_ms=time_ms)
            case Course.UNMEASURED if known is not None:
                found = findings.frozen(known, time_ms=time_ms)
            case Course.OVER | Course.GIVEN_UP if known is not None:
                given_up = turn.course is Course.GIVEN_UP
                found = findings.ended(known, rule, given_up=given_up, time_ms=time_ms)
        if found is not None:
            yield Report(key=key, finding=found, group=found.scope)

    def _of_rule(
        self, turn: Turn, current: Current, time_ms: int, detected_ms: int
    ) -> Iterator[Report]:
        name = "" if turn.rule < 0 else self.group.rules[turn.rule].name
        key = (self.kind, self.name, turn.rule, "error" if name else "unheard")
        known = current(key)
        found: Finding | None = None
        match turn.course:
            case Course.FAILS:
                found = findings.failing(
                    self.group,
                    name,
                    turn.why,
                    since_ms=self.standing.state.rules[turn.rule].failing_ms or time_ms,
                    detected_ms=detected_ms,
                    time_ms=time_ms,
                )
            case Course.UNHEARD:
                found = findings.unheard(
                    self.group, turn.why, detected_ms=detected_ms, time_ms=time_ms
                )
            case Course.WORKS if known is not None:
                found = findings.works(known, time_ms=time_ms)
            case Course.HEARD if known is not None:
                found = findings.heard(known, time_ms=time_ms)
        if found is not None and known is not None and found.state is FindingState.FIRING:
            found = findings.reworded(known, found, time_ms=time_ms)
        if found is not None:
            yield Report(key=key, finding=found)

    @property
    def healthy(self) -> bool:
        """Whether all of its rules can be evaluated."""
        return all(one.health is not Health.ERROR for one in self.standing.state.rules)

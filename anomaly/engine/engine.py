"""The engine: every rule is evaluated as soon as the data of a step are complete, step by step.

It drives rules and knows no kinds of them. On the first tick it goes through the past that the
database still has, telling nobody, so that a restart loses neither budgets nor baselines nor open
findings: rule by rule, many steps at once, with the outcome that single steps have. From then on
each tick costs the new steps only. What comes late for steps that were judged is judged again: a
rule goes back to where it stood before, and what people were told is put right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

from anomaly.arrivals import ArrivalLog, Arrived, Listened
from anomaly.engine.blindness import Blindness
from anomaly.engine.grounding import Grounding
from anomaly.engine.isolation import Isolation
from anomaly.engine.lateness import Lateness
from anomaly.engine.past import CHUNK_STEPS, Past, steps_until
from anomaly.engine.progress import Progress
from anomaly.engine.reconciling import corrections, unwatched
from anomaly.engine.replay import Replayed, replay
from anomaly.engine.watched import RuleCost, Watched
from anomaly.evidence.blaming import TrafficFinder
from anomaly.evidence.common_tags import CommonTags
from anomaly.evidence.exemplars import NoTraces, TraceFinder
from anomaly.evidence.line_kinds import PatternFinder
from anomaly.evidence.near_changes import ChangeFinder, NoChanges
from anomaly.evidence.own_delay import DelayReader
from anomaly.evidence.restraint import Restraint
from anomaly.evidence.seeking import EvidenceSeeker
from anomaly.findings import Finding, FindingSink, FindingState
from anomaly.open_findings import OpenFindings
from anomaly.rules.ground import Ground
from anomaly.rules.rule import Learner, Report, Row, Rule
from anomaly.suffering import Suffering
from collectors.clock import Clock
from collectors.model import Tags
from collectors.stacklang.evaluation.source import OnceDatabase
from collectors.stacklang.lines.database import Database, Fetch, Window
from collectors.store.arrivals import NEVER_MS, News

MAX_WAIT_MS = 150_000
MAX_LATE_MS = 600_000


class Engine:
    """Drives all rules.

    Args:
        database: Where the numbers are.
        rules: What is watched.
        sinks: Who wants to know of findings.
        clock: The present, for the moment of detection.
        step_ms: Length of a step.
        traces: Where exemplars come from; None for nowhere.
        changes: Where changes of the platform come from; None for nowhere.
        traffic: Knows what services asked of each other; None: nobody does.
        patterns: Knows which kinds of log lines are new; None: nobody does.
        arrivals: Knows when data came; None: everything is complete when its step is over.
        delays: Knows how we were held up ourselves, on a machine that we share with those who are
            watched; None: nobody knows, and no page waits for it.
        ground: What rules stand on that ask and write by themselves; None: they rest.
        max_wait_ms: No sender is waited for longer than this after it was last heard of.
        max_late_ms: What comes later than this after its step was judged is not judged again.

    Attributes:
        faults: What can't be evaluated and why, by expression or name of a rule.
        late_steps: Steps judged again because data came late.
        too_late: Times that data came too late to be judged again.
    """

    def __init__(
        self,
        database: Database,
        rules: Sequence[Rule[Any]],
        sinks: Sequence[FindingSink],
        clock: Clock,
        step_ms: int,
        *,
        traces: TraceFinder | None = None,
        changes: ChangeFinder | None = None,
        traffic: TrafficFinder | None = None,
        patterns: PatternFinder | None = None,
        arrivals: ArrivalLog | None = None,
        delays: DelayReader | None = None,
        ground: Ground | None = None,
        max_wait_ms: int = MAX_WAIT_MS,
        max_late_ms: int = MAX_LATE_MS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._step_ms = step_ms
        self._max_late_ms = -(-max_late_ms // step_ms) * step_ms
        self._suffering = Suffering()
        self._progress = Progress(step_ms)
        self._seeker = EvidenceSeeker(
            NoTraces() if traces is None else traces,
            NoChanges() if changes is None else changes,
            clock,
            step_ms,
            traffic,
            database,
            patterns,
        )
        self._common = CommonTags()
        self._restraint = Restraint(delays)
        self._arrivals = arrivals
        self._lateness = Lateness(step_ms, max_wait_ms)
        self._blindness = Blindness(database, arrivals)
        self._max_wait_ms = max_wait_ms
        self._lock = RLock()
        self._started = False
        self._completed_ms = 0
        self._past = Past(database, step_ms)
        self._open = OpenFindings(sinks)
        self.late_steps = self.too_late = 0
        self._isolation = Isolation()
        self._grounding = Grounding(ground, self._blindness)
        self._watched = [self._watching(rule) for rule in rules]
        self._grounding.watch(rules)

    @property
    def faults(self) -> dict[str, str]:
        """What can't be evaluated and why, by expression or name of a rule."""
        wrong: dict[str, str] = {}
        for watched in self._watched:
            wrong |= watched.faults
        return wrong | self._isolation.failed

    def tick(self, completed_ms: int) -> None:
        """Evaluate every step up to ``completed_ms`` whose data are complete and not judged yet.

        Calling it again with the same or an earlier time judges again what has come late.

        Args:
            completed_ms: Newest step boundary whose interval is over, a multiple of the step.
        """
        with self._working():
            self._seeker.begin()
            self._listen()
            self._completed_ms = max(self._completed_ms, completed_ms)
            if not self._started:
                # Set first: whatever comes of the past, the present goes on from here.
                self._started = True
                if self._arrivals is not None:
                    self._arrivals.take_news()  # all of it is about to be read
                self._go_through_the_past(self._watched, completed_ms)
                return
            if self._arrivals is not None:
                self._judge_again(self._arrivals.take_news())
            self._go_on(completed_ms)

    def watch(self, rules: Sequence[Rule[Any]]) -> None:
        """Watch ``rules`` from now on: what is watched already keeps its state.

        A new rule goes through the past, as at a start. What was open about a rule that is gone
        ends, unless a new rule found the same.

        Args:
            rules: All that are wanted; the very objects for those that go on.
        """
        with self._working():
            before = {id(watched.rule): watched for watched in self._watched}
            self._watched = [before.get(id(rule)) or self._watching(rule) for rule in rules]
            self._grounding.watch(rules)
            new = [watched for watched in self._watched if id(watched.rule) not in before]
            if self._started and new:
                self._listen()
                self._go_through_the_past(new, self._completed_ms)
            wanted = {id(rule) for rule in rules}
            gone = [watched for name, watched in before.items() if name not in wanted]
            self._forget(gone, {key for watched in new for key in watched.findings})

    def begin_again(self, completed_ms: int) -> None:
        """Take ``completed_ms`` for the present, which lies before what was: time was set back.

        To be followed by :meth:`watch` with rules that are new: those so far have judged steps that
        are yet to come.
        """
        with self._working():
            self._completed_ms = completed_ms
            self._lateness = Lateness(self._step_ms, self._max_wait_ms)

    def rows(self, kind: str) -> list[Row]:
        """Return the state of all rules of one kind as JSON objects."""
        with self._lock:
            faults = self.faults
            views = [rule.view(faults) for rule in self.rules(kind)]
        return [row for view in views for row in view()]

    def rule(self, kind: str, name: str) -> Rule[Any] | None:
        """Return the rule of that kind and name, None if there is none."""
        return next((rule for rule in self.rules(kind) if rule.name == name), None)

    def rules(self, kind: str) -> list[Rule[Any]]:
        """Return the rules of one kind."""
        return [watched.rule for watched in self._watched if watched.rule.kind == kind]

    def replayed(self, rule: Rule[Any], at_ms: int) -> Replayed:
        """Return what a ``rule`` that has seen nothing makes of the past up to ``at_ms``.

        Not later than the newest step that was over. It holds no lock: whoever judges goes on.
        """
        at_ms = min(at_ms, self._completed_ms) // self._step_ms * self._step_ms
        return replay(rule, self._database, self._arrivals, at_ms, self._step_ms)

    def findings(self, *, resolved: bool = False) -> tuple[Finding, ...]:
        """Return the open findings; with ``resolved`` also those that are over, newest first."""
        # Without the lock of a tick, which may be about thousands of them.
        return self._open.everything() if resolved else self._open.firing()

    def lags_ms(self) -> dict[str, int]:
        """Return how far behind the present each rule's newest judged step is, by name."""
        # Without the lock, which a tick holds for as long as it takes: whoever asks for /health is
        # answered at once, and not of a rule that is just going through the past once more.
        return self._progress.ages_ms(self._clock.now_ms())

    def overdue_ms(self) -> dict[str, int]:
        """Return how far behind each rule is beyond what it waits for its senders, by name."""
        return self._progress.overdue_ms(self._clock.now_ms())

    def overdue_by_kind_ms(self) -> dict[str, int]:
        """Return the longest of these by kind of rule."""
        return self._progress.overdue_by_kind_ms(self._clock.now_ms())

    def costs(self) -> list[RuleCost]:
        """Return what each rule has cost since the start."""
        return [watched.cost for watched in self._watched]

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Hold the lock; afterwards tell how far each rule is."""
        with self._lock:
            try:
                yield
            finally:
                self._progress.note(self._watched, self._lateness)
                self._grounding.flush()

    def _watching(self, rule: Rule[Any]) -> Watched:
        self._grounding.begin(rule)
        if isinstance(rule, Learner):
            rule.heed(self._suffering)
        return Watched(rule, self._step_ms, self._max_late_ms, self._database)

    def _forget(self, gone: Sequence[Watched], still: Container[Hashable]) -> None:
        """End what was open about rules that are gone, what others found ``still`` left out."""
        now_ms, left = self._clock.now_ms(), [one.rule for one in self._watched]
        for watched in gone:
            self._grounding.leave(watched.rule, left)
            self._isolation.failed.pop(watched.rule.name, None)
            self._common.forget(watched.rule.name)
            for key, finding in watched.findings.items():
                if key not in still:
                    self._open.put(key, unwatched(finding, now_ms))

    # -- how far the data go ---------------------------------------------------------------------

    def _listen(self) -> None:
        if self._arrivals is None:
            return
        known: dict[Fetch, Listened] = {}
        for watched in self._watched:
            watched.listen(self._database, self._arrivals, known)
        self._lateness.observe([one.heard for one in known.values()], self._clock.now_ms())
        self._blindness.look()

    def _ready_ms(self, watched: Watched, completed_ms: int) -> int:
        """Return up to when the data of a rule are complete."""
        complete_ms = self._lateness.complete_ms([one.heard for one in watched.heard()])
        if complete_ms == NEVER_MS and self._arrivals is not None:
            # Nobody is waited for. Whether all were silent, or the step has just begun to be told
            # of, shows when anybody at all has spoken of it.
            complete_ms = max(self._blindness.heard_ms, completed_ms - self._max_wait_ms)
        return min(completed_ms, complete_ms // self._step_ms * self._step_ms)

    def _arrived(self, watched: Watched, window: Window) -> Arrived:
        if self._arrivals is None:
            return Arrived.everything(window)
        blind = self._blindness.over(window)
        return Arrived(window=window, blind=blind, listened=watched.listened)

    # -- the past --------------------------------------------------------------------------------

    def _go_through_the_past(self, some: Sequence[Watched], completed_ms: int) -> None:
        """Have rules count the whole past and judge its last part: what is open opened within it.

        All look at the newest chunk. What lies before it is asked only for those that look
        further back, one by one: budgets, long windows and seasons.
        """
        recent_ms = max(0, completed_ms - CHUNK_STEPS * self._step_ms) + self._step_ms
        reach_ms = max([self._step_ms, *(w.rule.reach_ms for w in some)])
        oldest_ms = max(0, completed_ms - reach_ms) + self._step_ms
        begins_ms = self._past.begins_ms(min(oldest_ms, recent_ms), completed_ms)
        if self._arrivals is not None:
            # What was on its way when we were not there comes late for steps without any data.
            late_ms = max(self._step_ms, completed_ms - self._max_late_ms + self._step_ms)
            begins_ms = late_ms if begins_ms is None else min(begins_ms, late_ms)
        for watched in some:
            watched.done_ms = completed_ms
        if begins_ms is None:
            for watched in some:
                watched.leave_waypoint()
            return
        self._open.mute()
        try:
            database = OnceDatabase(self._database)
            # Who learns from what lasts must know when users suffered.
            for watched in sorted(some, key=lambda one: isinstance(one.rule, Learner)):
                if begins_ms < recent_ms:
                    end_ms = recent_ms - self._step_ms
                    self._go_through_the_older(watched, begins_ms, end_ms, completed_ms)
                first_ms = max(begins_ms, recent_ms)
                self._go_through_the_recent(watched, database, first_ms, completed_ms)
        finally:
            self._open.unmute()

    def _go_through_the_older(
        self, watched: Watched, start_ms: int, end_ms: int, completed_ms: int
    ) -> None:
        rule = watched.rule
        own_ms = max(start_ms, completed_ms - rule.reach_ms + self._step_ms)
        for window, answers in self._past.answers(rule.expressions, own_ms, end_ms):
            with self._isolation.around(rule):
                rule.take(answers, Arrived.everything(window))
            self._catch_up(watched, window, completed_ms)

    def _go_through_the_recent(
        self, watched: Watched, database: Database, first_ms: int, completed_ms: int
    ) -> None:
        """Go up to what is complete; leave a waypoint before what may still come late."""
        ready_ms = max(first_ms - self._step_ms, self._ready_ms(watched, completed_ms))
        settled_ms = max(first_ms - self._step_ms, ready_ms - self._max_late_ms)
        watched.done_ms = first_ms - self._step_ms
        # Without a log nothing ever comes late.
        near_ms = ready_ms if self._arrivals is None else ready_ms - watched.near_ms
        for end_ms in (settled_ms, near_ms, ready_ms):
            if end_ms > watched.done_ms:
                window = Window(
                    start_ms=watched.done_ms + self._step_ms,
                    end_ms=end_ms,
                    step_ms=self._step_ms,
                )
                self._take(watched, database, window)
                self._catch_up(watched, window, completed_ms)
                watched.done_ms = end_ms
            watched.leave_waypoint(due=end_ms != settled_ms)

    def _catch_up(self, watched: Watched, window: Window, completed_ms: int) -> None:
        """Let a rule learn from what it took, and judge the newest of it."""
        rule = watched.rule
        judged = steps_until(window, completed_ms - rule.judged_ms)
        if judged > 0:
            with self._isolation.around(rule):
                rule.learn(0, judged, window.start_ms)
        self._judge(watched, judged, window.steps, window)

    # -- the present -----------------------------------------------------------------------------

    def _go_on(self, completed_ms: int) -> None:
        """Judge what is complete: rules that stand alike together, step by step."""
        together: dict[tuple[int, int], list[Watched]] = defaultdict(list)
        for watched in self._watched:
            ready_ms = self._ready_ms(watched, completed_ms)
            if ready_ms > watched.done_ms:
                together[watched.done_ms, ready_ms].append(watched)
        for (done_ms, ready_ms), some in sorted(together.items()):
            self._run(some, done_ms + self._step_ms, ready_ms)

    def _run(self, some: Sequence[Watched], start_ms: int, end_ms: int) -> None:
        """Evaluate and judge what is new: to people it comes in the order of the steps."""
        for window in self._past.windows(start_ms, end_ms, CHUNK_STEPS):
            database = OnceDatabase(self._database)
            for watched in some:
                with watched.timed():
                    self._take(watched, database, window)
            for index in range(window.steps):
                now_ms = self._clock.now_ms()
                for watched in some:
                    with watched.timed():
                        self._judge(watched, index, index + 1, window, now_ms)
                        self._look_for_common(watched)
            for watched in some:
                watched.steps += window.steps
                watched.done_ms = window.end_ms
                watched.leave_waypoint()

    def _take(self, watched: Watched, database: Database, window: Window) -> None:
        answers = watched.evaluate(database, window)
        with self._isolation.around(watched.rule):
            self._isolation.failed.pop(watched.rule.name, None)
            watched.rule.take(answers, self._arrived(watched, window))

    def _judge(
        self,
        watched: Watched,
        first: int,
        last: int,
        window: Window,
        now_ms: int | None = None,
    ) -> None:
        """Judge steps that a rule took; what is found in the past was detected when it happened."""
        for report in self._reports(watched, first, last, window, now_ms):
            with self._isolation.around(watched.rule):
                self._put(watched, report)

    def _reports(
        self, watched: Watched, first: int, last: int, window: Window, now_ms: int | None
    ) -> Iterator[Report]:
        rule = watched.rule
        with self._isolation.around(rule):
            time_ms = window.start_ms + first * self._step_ms
            for at_ms, transition in rule.advance(first, last, time_ms):
                with self._isolation.around(rule):
                    yield from rule.report(
                        transition,
                        watched.findings.get,
                        time_ms=at_ms,
                        detected_ms=now_ms or at_ms,
                    )

    def _put(self, watched: Watched, report: Report) -> None:
        """Keep a reported finding, with what shows it and what came before it while it fires."""
        finding = report.finding
        if finding.state is FindingState.FIRING:
            rule = watched.rule.name
            finding = self._seeker.shown(rule, report.key, finding, report.evidence, report.group)
            finding = self._common.told(rule, finding)
        finding = self._restraint.judged(finding, report.evidence, report.settle_ms)
        self._keep(watched, report.key, finding)

    def _look_for_common(self, watched: Watched) -> None:
        """Tell anew what a rule has open when the places have something else in common."""

        def places() -> list[Tags]:
            return [row["scope"] for row in watched.rule.view({})()]

        with self._isolation.around(watched.rule):
            found = self._common.look(watched.rule.name, places, watched.findings)
            for key, finding in list(found):
                self._keep(watched, key, finding)

    def _keep(self, watched: Watched, key: Hashable, finding: Finding) -> None:
        if finding.state is FindingState.RESOLVED:
            watched.findings.pop(key, None)
            self._seeker.forget(key)
        else:
            watched.findings[key] = finding
        self._suffering.note(finding)
        self._open.put(key, finding)

    # -- what came late --------------------------------------------------------------------------

    def _judge_again(self, news: News) -> None:
        for watched in self._watched:
            oldest_ms = min(
                (news.oldest_ms(one.heard.series) for one in watched.heard()),
                default=int(NEVER_MS),
            )
            if oldest_ms <= watched.done_ms:
                self._note_late(watched, news)
                self._go_again(watched, oldest_ms)

    def _note_late(self, watched: Watched, news: News) -> None:
        for one in watched.heard():
            series = one.heard.series
            known = series < len(news.first_ms)
            late = np.zeros(len(series), dtype=np.bool_)
            late[known] = news.first_ms[series[known]] == watched.done_ms
            if late.any():
                self._lateness.note_late(one.heard, late)

    def _go_again(self, watched: Watched, oldest_ms: int) -> None:
        """Have a rule judge again from ``oldest_ms`` on, and put right what people were told."""
        done_ms, told = watched.done_ms, dict(watched.findings)
        if watched.go_back(oldest_ms) is None:
            self.too_late += 1
            return
        way_ms = watched.done_ms
        self.late_steps += (done_ms - way_ms) // self._step_ms
        now_ms = self._clock.now_ms()
        ended: dict[Hashable, Finding] = {}
        for window in self._past.windows(way_ms + self._step_ms, done_ms, CHUNK_STEPS):
            self._take(watched, self._database, window)
            for report in self._reports(watched, 0, window.steps, window, now_ms):
                if report.finding.state is FindingState.RESOLVED:
                    watched.findings.pop(report.key, None)
                    ended[report.key] = report.finding
                else:
                    watched.findings[report.key] = report.finding
            watched.done_ms = window.end_ms
        for key, finding in corrections(told, watched.findings, ended, now_ms):
            self._keep(watched, key, finding)

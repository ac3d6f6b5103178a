"""Half of all histories end badly: whatever people say and processes do, a run keeps its word."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collectors.errors import InputError
from runbooks.automation.runbook import OnFailure, Request, Step, StepKind, When
from runbooks.automation.running.advance import (
    Ask,
    Begin,
    advance,
    apply,
    settled,
    undoing,
    valid,
)
from runbooks.automation.running.codec import (
    plan_from_json,
    plan_to_json,
    progress_from_json,
    progress_to_json,
)
from runbooks.automation.running.deciding import (
    Decision,
    Verb,
    decide,
    interrupted,
    possible,
    principal,
)
from runbooks.automation.state import Plan, Run, RunState, StepState

PERSONS = ("ana", "bo")
ENDS = (*[StepState.SUCCEEDED] * 3, StepState.FAILED, StepState.UNKNOWN, StepState.SKIPPED)
KINDS = (StepKind.MANUAL, StepKind.APPROVAL, StepKind.QUERY, *[StepKind.HTTP] * 5)
POST = Request(host="h", method="POST", path="/")


@st.composite
def step(draw: st.DrawFn, number: int) -> Step:
    """A step of any kind."""
    kind = draw(st.sampled_from(KINDS))
    acts = kind is StepKind.HTTP
    one = Step(
        id=f"s{number}",
        title="Step",
        kind=kind,
        request=POST if acts else None,
        parallel=draw(st.sampled_from(["", "group"])),
        on_failure=draw(st.sampled_from(OnFailure)),
        safe=draw(st.sampled_from([True, True, False])),
        two_persons=draw(st.booleans()),
        changes=acts,
        when=draw(st.sampled_from([None, When(step="s0", ended="succeeded")])) if number else None,
    )
    back = Step(id=f"s{number}/rollback", title="Back", kind=kind, request=POST, safe=True)
    return (
        replace(one, rollback=replace(back, changes=True)) if acts and draw(st.booleans()) else one
    )


class Runs(RuleBasedStateMachine):
    """A run, the attempts that are really under way, and all that ever began."""

    @initialize(data=st.data(), size=st.integers(1, 5))
    def begin(self, data: st.DataObject, size: int) -> None:
        """Plan some steps."""
        steps = tuple(data.draw(step(number)) for number in range(size))
        self.now_ms = 1_000
        plan = Plan(runbook="r", title="R", steps=steps, approval_expires_ms=5_000)
        self.run = Run(
            id="run-1", incident_id="i", plan=plan, requested_by="ana", created_ms=self.now_ms
        )
        self.busy: set[tuple[str, int]] = set()
        self.begun: list[tuple[str, int]] = []
        self.asked_again: set[str] = set()

    @rule(passed_ms=st.sampled_from([1, 3_000, 60_000]))
    def go_on(self, passed_ms: int) -> None:
        """Time passes, and what is due is done."""
        self.now_ms += passed_ms
        for _ in range(40):
            actions = advance(self.run, self.now_ms)
            if not actions:
                return
            for action in actions:
                if isinstance(action, Begin):
                    self._may_begin(action.step_id)
                before = self.run
                self.run = apply(self.run, action, self.now_ms, "me")
                if isinstance(action, Begin):
                    attempt = self.run.of(action.step_id).attempt
                    self.busy.add((action.step_id, attempt))
                    self.begun.append((action.step_id, attempt))
                if isinstance(action, Ask):
                    assert before.of(action.step_id).state is StepState.PENDING
        raise AssertionError("it never comes to rest")

    def _may_begin(self, step_id: str) -> None:
        """Nothing begins twice unasked, nor what changes something without consent."""
        one = self.run.plan.step(step_id)
        progress = self.run.of(step_id)
        assert one is not None
        assert progress.state in {StepState.PENDING, StepState.WAITING}
        assert progress.attempt == 0 or step_id in self.asked_again
        self.asked_again.discard(step_id)
        if one.needs_approval:
            assert valid(progress.approval, self.now_ms)
            if one.two_persons and progress.approval is not None:
                assert progress.approval.by != "ana"
        if self.run.state is RunState.ROLLING_BACK:
            done = [
                s for s in self.run.plan.steps if self.run.of(s.id).state is StepState.SUCCEEDED
            ]
            later = [s.rollback for s in done if s.rollback and s.rollback.id > step_id]
            assert all(self.run.of(back.id).is_over for back in later)

    @rule(data=st.data(), state=st.sampled_from(ENDS))
    def end(self, data: st.DataObject, state: StepState) -> None:
        """An attempt that is under way gives its result, perhaps late."""
        if not self.busy:
            return
        step_id, attempt = data.draw(st.sampled_from(sorted(self.busy)))
        self.busy.discard((step_id, attempt))
        before = self.run.of(step_id)
        told = replace(before, state=state, since_ms=self.now_ms)
        self.run = settled(self.run, step_id, attempt, told)
        if before.attempt != attempt or before.state not in {StepState.RUNNING, StepState.UNKNOWN}:
            assert self.run.of(step_id) == before

    @rule()
    def die(self) -> None:
        """The process is killed; another one finds what was running."""
        self.busy.clear()
        for progress in self.run.progress.values():
            if progress.state is StepState.RUNNING:
                self.run = self.run.with_progress(interrupted(progress, self.now_ms))
        # What is kept is all that is known.
        kept = plan_from_json(plan_to_json(self.run.plan))
        steps = [progress_from_json(progress_to_json(p)) for p in self.run.progress.values()]
        assert kept == self.run.plan
        assert {one.id: one for one in steps} == dict(self.run.progress)

    @rule(data=st.data(), verb=st.sampled_from(Verb), by=st.sampled_from(PERSONS))
    def say(self, data: st.DataObject, verb: Verb, by: str) -> None:
        """A person decides something, possible or not."""
        ids = [one.id for one in self.run.plan.steps] + [b.id for b in undoing(self.run)]
        about = "" if verb in {Verb.ABORT, Verb.ROLL_BACK} else data.draw(st.sampled_from(ids))
        before = self.run
        known = possible(before, about)
        try:
            self.run = decide(before, Decision(verb=verb, by=by, step_id=about), self.now_ms)
        except InputError:
            assert self.run == before
            return
        assert verb in known
        if verb is Verb.RETRY:
            self.asked_again.add(about)
        if verb is Verb.APPROVE:
            one = self.run.plan.step(about)
            assert one is not None
            assert not (one.two_persons and principal(by) == "ana")

    @invariant()
    def no_attempt_is_made_twice(self) -> None:
        """Each attempt has a number of its own."""
        if hasattr(self, "begun"):
            assert len(self.begun) == len(set(self.begun))

    @invariant()
    def what_has_ended_has_a_time(self) -> None:
        """An ended run says when, a live one does not."""
        if hasattr(self, "run"):
            assert (self.run.ended_ms is None) is self.run.is_live


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)

"""The figures, the trend, the people and the next step of a first screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anomaly.findings import FindingKind, FindingState, NearChange, Relation
from collectors.model import FloatArray
from runbooks.automation.runbook import Runbook, Step, StepKind
from runbooks.automation.state import Plan, Progress, Run
from runbooks.automation.state import StepState as RunStepState
from runbooks.diagnosis.cause import cause_of
from runbooks.first_screen.kpi import MAX_POINTS, kpis_of, thinned, worst_course
from runbooks.first_screen.next_step import Doing, next_step
from runbooks.first_screen.people import NOBODY, people_of
from runbooks.first_screen.screen import NO_MEASURES, first_screen
from runbooks.first_screen.trend import Course, trend_of
from runbooks.incidents.commands import Acknowledge, AddFinding, Command, Open
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import Incident, ProposedRunbook, StepState
from runbooks.incidents.states import Severity
from runbooks.postmortem.flat_metrics import FlatMetrics
from tests.runbooks.room import MakeFinding

T0 = 1_700_000_000_000
NOW_MS = T0 + 180_000
STEP = Step(id="look", title="Look", kind=StepKind.MANUAL)
BOOK = Runbook(name="book", title="The book", applies_to=(), steps=(STEP,))
PROPOSED = ProposedRunbook(
    name="book", title="The book", why="it fits", steps={"look": StepState.OPEN}
)
DEPLOYED = NearChange(
    id="ci-1",
    time_ms=T0 - 20_000,
    kind="deploy",
    summary="Deployed playback 1.1.0",
    service="playback",
    scope={},
    url="",
    relation=Relation.SAME_SERVICE,
    before_ms=20_000,
)


def incident_of(make_finding: MakeFinding, *commands: Command, **changes: object) -> Incident:
    finding = make_finding(subject="Playback starts", **changes)
    opened = Open(incident_id="i", finding=finding, severity=Severity.SEV1, why="")
    events = list(decide(None, opened, T0 + 10_000))
    for command in commands:
        events += decide(fold(events), command, T0 + 20_000)
    return fold(events)


def flat(*parts: tuple[int, float]) -> FloatArray:
    return np.concatenate([np.full(count, value) for count, value in parts])


@pytest.mark.parametrize(
    ("values", "baseline", "course"),
    [
        (flat((12, 0.10), (12, 0.13)), 0.0, Course.WORSE),
        (flat((12, 0.10), (12, 0.11)), 0.0, Course.STEADY),
        (flat((12, 0.10), (12, 0.07)), 0.0, Course.BETTER),
        (flat((12, 20.0), (12, 10.0)), 40.0, Course.WORSE),
        (flat((12, 10.0), (12, 30.0)), 40.0, Course.BETTER),
        (flat((12, 0.0), (12, 0.1)), 0.0, Course.WORSE),
        (flat((12, 0.0), (12, 0.0)), 0.0, Course.STEADY),
        (flat((12, 0.1), (12, 0.2)), None, Course.UNKNOWN),
        (flat((10, 0.1)), 0.0, Course.UNKNOWN),
        (flat((12, np.nan), (12, 0.2)), 0.0, Course.UNKNOWN),
        (flat((12, 0.1), (11, np.nan), (1, 0.2)), 0.0, Course.UNKNOWN),
        (np.zeros(0), 0.0, Course.UNKNOWN),
    ],
)
def test_whether_it_gets_worse(values: FloatArray, baseline: float | None, course: Course) -> None:
    """Whoever is told that it gets better goes back to bed: it is told by a rule, or not at all."""
    assert trend_of(values, baseline, 5_000).course is course


def test_a_figure_has_its_line_and_what_it_should_be(make_finding: MakeFinding) -> None:
    """A number alone says nothing: the page shows it beside its baseline, and how it came there."""
    metrics = FlatMetrics(before=0.0, after=0.084, onset_ms=T0)
    [kpi] = kpis_of(incident_of(make_finding), metrics, NOW_MS)
    assert (kpi.title, kpi.now) == ("Playback starts in us-east-1", "8.4 % bad")
    assert (kpi.worst, kpi.usual) == ("8.4 % bad at worst", "0.1 % allowed")
    assert kpi.trend.course is Course.STEADY
    assert kpi.start_ms + kpi.step_ms * (len(kpi.points) - 1) >= NOW_MS - kpi.step_ms * 2
    assert len(kpi.points) <= MAX_POINTS
    assert kpi.points[0] == 0.0


def test_what_cannot_be_measured_says_so(make_finding: MakeFinding) -> None:
    """No data are not zero, and an expression that fails does not take the screen with it."""
    broken = incident_of(make_finding, expression="broken,:sum")
    [kpi] = kpis_of(broken, FlatMetrics(), NOW_MS)
    assert (kpi.now, kpi.value, kpi.trend.course) == ("not measured", None, Course.UNKNOWN)
    assert kpi.note.startswith("not measured: ")
    alert = incident_of(make_finding, kind=FindingKind.ALERT)
    assert kpis_of(alert, FlatMetrics(), NOW_MS) == []
    assert worst_course([]).course is Course.UNKNOWN


def test_points_are_thinned_by_means_of_what_is_known() -> None:
    """A gap in a line is no dip to nothing."""
    values = np.r_[np.full(MAX_POINTS, 1.0), np.full(MAX_POINTS, np.nan)]
    values[1] = np.nan
    points, every = thinned(values)
    assert every == 2
    assert points[0] == 1.0
    assert np.isnan(points[-1])


def run_of(state: RunStepState) -> Run:
    plan = Plan(runbook="book", title="The book", steps=(STEP,))
    progress = {"look": Progress(id="look", state=state, text="waits for an approval")}
    return Run(
        id="r", incident_id="i", plan=plan, requested_by="ann", created_ms=T0, progress=progress
    )


def test_what_to_do_next(make_finding: MakeFinding) -> None:
    """What waits for a person first, then the runbook, then the roll-back, then the evidence."""
    plain = incident_of(make_finding)
    deployed = incident_of(make_finding, changes=(DEPLOYED,))
    with_book = replace(deployed, runbook=PROPOSED)
    done = replace(deployed, runbook=replace(PROPOSED, steps={"look": StepState.DONE}))
    waits, ran = run_of(RunStepState.WAITING), run_of(RunStepState.SUCCEEDED)
    cases = [
        (plain, (), Doing.LOOK, "Look at the evidence for a cause"),
        (deployed, (), Doing.ROLL_BACK, "Roll back “Deployed playback 1.1.0”"),
        (with_book, (ran,), Doing.RUNBOOK, "The book: step 1 of 1, Look"),
        (with_book, (waits,), Doing.DECIDE, "Decide: Look"),
        (done, (), Doing.ROLL_BACK, "Roll back “Deployed playback 1.1.0”"),
    ]
    for incident, runs, doing, text in cases:
        found = next_step(incident, cause_of(incident), runs, {"book": BOOK})
        assert (found.doing, found.text) == (doing, text)
        assert found.why
    over = make_finding(state=FindingState.RESOLVED, ended_ms=T0 + 60_000)
    ended = incident_of(make_finding, AddFinding(finding=over, why=""))
    assert next_step(ended, cause_of(ended), (), {}).doing is Doing.WATCH


def test_who_is_on_it(make_finding: MakeFinding) -> None:
    """That nobody has it must be said as plainly as who has."""
    nobody = people_of(incident_of(make_finding), [], "On call: Ana")
    assert (nobody.taken, nobody.is_taken, nobody.on_call) == (NOBODY, False, "On call: Ana")
    assert nobody.rung == "Nobody has been rung yet"
    taken = people_of(incident_of(make_finding, Acknowledge(actor="ann")), [], "")
    assert taken.taken == "ann acknowledged it at 22:13:40 UTC"


def test_what_people_lose_is_said_to_be_unknown_without_measures(
    make_finding: MakeFinding,
) -> None:
    """An empty place reads as no loss."""
    incident = incident_of(make_finding)
    screen = first_screen(
        incident,
        metrics=FlatMetrics(after=0.084, onset_ms=T0),
        measures=(),
        people=people_of(incident, [], ""),
        runs=(),
        library={},
        now_ms=NOW_MS,
    )
    assert (screen.impact, screen.impact_note) == ((), NO_MEASURES)

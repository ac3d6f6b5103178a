"""Which runbook is proposed: for what fires, by what is suspect, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from anomaly.findings import (
    Finding,
    FindingKind,
    FindingState,
    NearChange,
    Relation,
    Suspect,
)
from runbooks.automation.matching import propose
from runbooks.automation.proposing import proposing
from runbooks.automation.runbook import Matcher, Runbook, Step, StepKind
from runbooks.incidents.commands import Open, ProposeRunbook, SetStep
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.incident import ProposedRunbook, StepState
from runbooks.incidents.live import speaking
from runbooks.incidents.states import Severity
from tests.runbooks.room import MakeFinding

ONSET_MS = 1_700_000_000_000
EAST, WEST = "us-east-1", "eu-west-1"


def book(name: str, *matchers: Matcher) -> Runbook:
    step = Step(id="look", title="Look", kind=StepKind.MANUAL)
    return Runbook(name=name, title=name, applies_to=matchers, steps=(step,))


LIBRARY = (
    book("burns", Matcher(kinds=frozenset({FindingKind.SLO_BURN}))),
    book("burns-fast", Matcher(rule="slo/*/fast", kinds=frozenset({FindingKind.SLO_BURN}))),
    book("stopped", Matcher(kinds=frozenset({FindingKind.NO_DATA}))),
    book("region", Matcher(kinds=frozenset({FindingKind.ANOMALY}), lost_share=0.9)),
    book("roll-back", Matcher(change=("deploy*",))),
)


def deployed(**changes: object) -> NearChange:
    change = NearChange(
        id="ci-1",
        time_ms=ONSET_MS - 20_000,
        kind="deploy",
        summary="Deployed playback 1.1.0",
        service="playback",
        scope={},
        url="",
        relation=Relation.SAME_SERVICE,
        before_ms=20_000,
    )
    return replace(change, **changes)  # type: ignore[arg-type]  # of the fields' own types


def accused(service: str) -> tuple[Suspect, ...]:
    return (Suspect(service=service, share=0.9, reason="80 % of its requests fail"),)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What fires, and what is proposed for it."""

    name: str
    findings: Sequence[dict[str, object]]
    proposed: str | None


FIRING, OVER = FindingState.FIRING, FindingState.RESOLVED
CASES = [
    Case(name="nothing fits", findings=[{"kind": FindingKind.OWN_FAULT}], proposed=None),
    Case(name="what is more specific", findings=[{}], proposed="burns-fast"),
    Case(name="what is over asks for nothing", findings=[{"state": OVER}], proposed=None),
    Case(
        name="what is over elsewhere does not outbid what fires here",
        findings=[{"id": "a", "state": OVER}, {"id": "b", "kind": FindingKind.NO_DATA}],
        proposed="stopped",
    ),
    Case(
        name="a suspect deployment is rolled back",
        findings=[{"changes": (deployed(),)}],
        proposed="roll-back",
    ),
    Case(
        name="a deployment long ago is not suspect",
        findings=[{"changes": (deployed(before_ms=1_200_000),)}],
        proposed="burns-fast",
    ),
    Case(
        name="a deployment elsewhere is not suspect",
        findings=[{"changes": (deployed(relation=Relation.OTHER_REGION),)}],
        proposed="burns-fast",
    ),
    Case(
        name="a deployment of whom the calls do not accuse is not suspect",
        findings=[{"changes": (deployed(),), "suspects": accused("licences")}],
        proposed="burns-fast",
    ),
    Case(
        name="a deployment of whom the calls accuse is",
        findings=[{"changes": (deployed(),), "suspects": accused("playback")}],
        proposed="roll-back",
    ),
    Case(
        name="a change of another kind is not rolled back",
        findings=[{"changes": (deployed(kind="scale"),)}],
        proposed="burns-fast",
    ),
    Case(
        name="a suspect deployment of what is over is not rolled back",
        findings=[
            {"id": "a", "state": OVER, "changes": (deployed(),)},
            {"id": "b"},
        ],
        proposed="burns-fast",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_proposed(case: Case, make_finding: MakeFinding) -> None:
    """People do what is proposed: a wrong runbook costs the minutes that count."""
    found = [make_finding(**changes) for changes in case.findings]
    assert [one.name for one in proposing(LIBRARY, found)] == (
        [case.proposed] if case.proposed else []
    )


def current(findings: Sequence[Finding], **changes: object) -> ProposedRunbook:
    """Return what is proposed for ``findings``, as an incident has it."""
    [first] = proposing(LIBRARY, findings)
    steps = dict.fromkeys(first.step_ids, StepState.OPEN)
    proposed = ProposedRunbook(
        name=first.name, title=first.title, why=first.why, steps=steps, score=first.score
    )
    return replace(proposed, **changes)  # type: ignore[arg-type]  # of the fields' own types


def test_a_better_fit_takes_its_place_and_says_why(make_finding: MakeFinding) -> None:
    """A page that changes what it proposes without a word is not believed again."""
    known = make_finding()
    [command] = proposing(LIBRARY, [make_finding(changes=(deployed(),))], current([known]))
    assert command.name == "roll-back"
    assert "“Deployed playback 1.1.0”, 20 s before the estimated onset" in command.why
    assert command.instead.startswith("that fits less well: it is written for this rule")


def test_what_asked_for_it_is_over(make_finding: MakeFinding) -> None:
    """A fit for what is over gives way to a lesser one for what still fires."""
    over = current([make_finding(id="a")])
    left = [make_finding(id="a", state=OVER), make_finding(id="b", kind=FindingKind.NO_DATA)]
    [command] = proposing(LIBRARY, left, over)
    assert command.name == "stopped"
    assert command.instead.endswith("nothing that fires now asks for it")


@pytest.mark.parametrize(
    "changes", [{"run": True}, {"steps": {"look": StepState.DONE}}], ids=["a run", "a step"]
)
def test_what_is_begun_stays(changes: dict[str, object], make_finding: MakeFinding) -> None:
    """Whoever works by a runbook must find it where it was."""
    begun = current([make_finding()], **changes)
    assert proposing(LIBRARY, [make_finding(changes=(deployed(),))], begun) == []


def test_the_log_keeps_what_is_begun_and_says_what_changed(make_finding: MakeFinding) -> None:
    """Whatever asks for a runbook, the log has the last word on which one people work by."""
    finding = make_finding()
    opening = Open(incident_id="i", finding=finding, severity=Severity.SEV1, why="")
    log = list(decide(None, opening, ONSET_MS))

    def give(command: ProposeRunbook | SetStep) -> ProposedRunbook:
        log.extend(decide(fold(log), command, ONSET_MS))
        found = fold(log).runbook
        assert found is not None
        return found

    [first] = proposing(LIBRARY, [finding])
    [better] = proposing(LIBRARY, [make_finding(changes=(deployed(),))], give(first))
    changed = give(better)
    assert changed.name == "roll-back"
    assert changed.reason == f"{better.why}; instead of {first.title}: {better.instead}"
    assert log[-1].text.endswith(f"; instead of {first.title}: {better.instead}")
    give(SetStep(step_id="look", state=StepState.DONE, actor="ann"))
    assert give(replace(first, score=99, instead="it fits better")).name == "roll-back"


def test_it_does_not_flip_between_equals(make_finding: MakeFinding) -> None:
    """Two findings that ask for two runbooks alike keep the one that came first."""
    two = (*LIBRARY, book("burns-fast-too", LIBRARY[1].applies_to[0]))
    found = [make_finding(id="a"), make_finding(id="b", started_ms=ONSET_MS - 60_000)]
    for name in ("burns-fast", "burns-fast-too"):
        kept = current(found, name=name)
        assert proposing(two, found, kept) == []
        assert proposing(two, found[::-1], kept) == []


def test_all_over_keeps_what_was_proposed(make_finding: MakeFinding) -> None:
    """A runbook that vanishes with recovery takes the last step, to confirm it, along."""
    assert proposing(LIBRARY, [make_finding(state=OVER)], current([make_finding()])) == []


def test_what_fires_speaks_first(make_finding: MakeFinding) -> None:
    """Objectives before machines, what has a suspect before what has none, never what is over."""
    over = make_finding(id="over", state=OVER, scope={"cloud.region": WEST}, started_ms=1)
    machine = make_finding(id="machine", kind=FindingKind.ANOMALY, started_ms=2)
    users = make_finding(id="users", started_ms=3)
    suspect = make_finding(id="suspect", started_ms=4, changes=(deployed(),))
    known = [over, machine, users, suspect]
    assert [one.id for one in speaking(known)] == ["suspect", "users", "machine"]
    assert [one.id for one in speaking([over])] == ["over"]


def test_an_operators_own_wins_a_tie(make_finding: MakeFinding) -> None:
    """What a team has written knows its platform; what came with the product does not."""
    shipped = replace(book("shipped", Matcher(rule="slo/*")), is_built_in=True)
    found = propose((shipped, book("own", Matcher(rule="slo/*"))), [make_finding()])
    assert found is not None
    assert found.runbook.name == "own"


def test_the_first_of_the_library_wins_a_tie(make_finding: MakeFinding) -> None:
    """An operator orders runbooks by their files' names."""
    two = (book("one", Matcher(rule="slo/*")), book("two", Matcher(rule="slo/*")))
    found = propose(two, [make_finding()])
    assert found is not None
    assert found.runbook.name == "one"

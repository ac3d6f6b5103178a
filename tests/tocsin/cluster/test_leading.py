"""Who speaks to people, and what a node does with its findings meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anomaly.findings import Finding, FindingKind
from anomaly.testing import example_finding
from collectors.clock import ManualClock
from collectors.host.faults import Faults
from runbooks.desk.waiting import Waiting
from runbooks.paging.own_fault import PAGE_AFTER_MS, OwnFaults
from tocsin.cluster.leading.turn import Alone, Led
from tocsin.cluster.leading.voice import Word, speaks


class Desk:
    """Keeps what it is given in its queue, as the desk does."""

    def __init__(self) -> None:
        self.waiting = Waiting()

    def receive(self, finding: Finding) -> None:
        self.waiting.put(finding)

    def has(self) -> list[str]:
        return [finding.id for finding in self.waiting.all()]


HOLDERS = st.sampled_from(["a", "b", "gone", ""])


@given(st.booleans(), HOLDERS, HOLDERS)
def test_without_the_database_one_of_two_that_see_each_other_speaks(
    same: bool, first: str, second: str
) -> None:
    """In an outage of the database both would be silent, or both would ring."""
    a = Word(node="a", leads=False, agrees=False, last_holder=first)
    b = Word(node="b", leads=False, agrees=False, last_holder=first if same else second)
    assert speaks(a, b) is not speaks(b, a)


@given(st.booleans(), st.booleans(), HOLDERS)
def test_who_leads_speaks_alone(leads: bool, agrees: bool, holder: str) -> None:
    """A follower that sees the leader would ring beside it."""
    a = Word(node="a", leads=True, agrees=agrees, last_holder=holder)
    b = Word(node="b", leads=False, agrees=agrees, last_holder=holder)
    assert speaks(a, b if leads else None)
    assert not speaks(b, a)


def test_who_is_alone_without_the_database_speaks() -> None:
    """The last node alive would keep an outage for itself."""
    assert speaks(Word(node="b", leads=False, agrees=False, last_holder="a"), None)
    assert not speaks(Word(node="b", leads=False, agrees=True, last_holder="a"), None)


def test_a_follower_keeps_its_findings_and_hands_them_over() -> None:
    """What was found shortly before the leader died would be told by nobody."""
    desk, mine = Desk(), [False]
    turn = Led(desk, desk.waiting, lambda: mine[0])
    finding = example_finding()
    assert not turn.begins()
    turn.receive(finding)
    assert desk.has() == []
    mine[0] = True
    turn.receive(finding)  # before its turn has begun
    assert desk.has() == []
    assert turn.begins()
    turn.hand_over([finding])
    assert desk.has() == [finding.id]
    assert not turn.begins()


def test_who_loses_the_lead_forgets_what_waits_but_its_own() -> None:
    """An old state would come to the record after the new leader's."""
    desk, mine = Desk(), [True]
    turn = Led(desk, desk.waiting, lambda: mine[0])
    assert turn.begins()
    turn.receive(example_finding(id="found"))
    desk.receive(example_finding(id="own", kind=FindingKind.OWN_FAULT))
    mine[0] = False
    turn.receive(example_finding(id="later"))
    assert not turn.begins()
    assert desk.has() == ["own"]
    assert len(desk.waiting) == 1


def test_one_process_begins_once() -> None:
    """It would compare its record with the present again in each step."""
    desk = Desk()
    turn = Alone(desk)
    assert turn.sink is desk
    assert [turn.begins(), turn.begins()] == [True, False]
    turn.hand_over([example_finding()])
    assert desk.has() == []


def test_faults_of_this_node_are_present_when_it_takes_over() -> None:
    """Comparing the record with the present would end them, and nobody would tell of them again."""
    clock, desk = ManualClock(1_000), Desk()
    faults = Faults(clock)
    own = OwnFaults(faults, desk)
    faults.failed("disk", place="/data", reason="full", lost="spans")
    own.tick(clock.now_ms())
    own.tick(clock.now_ms() + PAGE_AFTER_MS)
    assert [finding.id for finding in own.present()] == desk.has()
    faults.over("disk")
    own.tick(clock.now_ms() + PAGE_AFTER_MS)
    assert own.present() == []

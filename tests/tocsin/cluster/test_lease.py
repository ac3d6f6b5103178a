"""Leases: one holder at a time, whatever nodes ask for, and however clocks jump."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tocsin.cluster.agreement.lease import LEAD, Lease, Wish, decided
from tocsin.cluster.agreement.term import Term

LENGTH_MS = 1_000
NODES = ("a", "b", "c")


@dataclass
class Cluster:
    """Nodes that ask one database; time passes alike for all, clocks are set apart from it."""

    passed_ms: int = 1_000_000
    ahead_ms: int = 0
    lease: Lease = field(default_factory=lambda: Lease(name=LEAD))
    terms: dict[str, Term] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.terms = {name: Term(lambda: self.passed_ms / 1_000) for name in NODES}

    def ask(self, node: str, wants: bool, answered_after_ms: int) -> None:
        """Have one node ask; the answer may take its time."""
        asked_s = self.passed_ms / 1_000
        if not wants:
            self.terms[node].end()
        now_ms = self.passed_ms + self.ahead_ms
        wish = Wish(node=node, session=node, length_ms=LENGTH_MS, wants=wants)
        self.lease = decided(self.lease, wish, now_ms)
        self.passed_ms += answered_after_ms
        if wants and self.lease.session == node and self.lease.held(now_ms):
            self.terms[node].renew(self.lease.token, asked_s, LENGTH_MS / 1_000)
        else:
            self.terms[node].end()

    def holding(self) -> list[str]:
        """Who takes itself for the holder."""
        return [name for name, term in self.terms.items() if term.holds()]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(NODES),
        st.booleans(),
        st.integers(0, 400),
        st.integers(0, 1_500),
    ),
    max_size=40,
)


@given(STEPS)
def test_two_never_lead(steps: list[tuple[str, bool, int, int]]) -> None:
    """Two that take themselves for the leader page twice."""
    cluster, tokens = Cluster(), [0]
    for node, wants, answered_ms, pause_ms in steps:
        cluster.ask(node, wants, answered_ms)
        assert len(cluster.holding()) <= 1
        tokens.append(cluster.lease.token)
        cluster.passed_ms += pause_ms
        assert len(cluster.holding()) <= 1
    assert tokens == sorted(tokens)


@given(STEPS)
def test_a_holder_is_known_by_its_token(steps: list[tuple[str, bool, int, int]]) -> None:
    """What two holders say under one token could not be told apart."""
    cluster = Cluster()
    by_token: dict[int, str] = {}
    for node, wants, answered_ms, pause_ms in steps:
        cluster.ask(node, wants, answered_ms)
        cluster.passed_ms += pause_ms
        first = by_token.setdefault(cluster.lease.token, cluster.lease.session)
        assert first == cluster.lease.session


@given(st.integers(-(10**9), 10**9), st.integers(0, 3_000))
def test_a_dead_holder_is_followed_whatever_the_clock(ahead_ms: int, dead_ms: int) -> None:
    """A database whose clock was set back would leave nobody in charge for as long."""
    cluster = Cluster(passed_ms=10**10)
    cluster.ask("a", True, 0)
    cluster.passed_ms += dead_ms
    cluster.ahead_ms = ahead_ms
    cluster.ask("b", True, 0)
    cluster.passed_ms += LENGTH_MS
    cluster.ask("b", True, 0)
    assert cluster.lease.holder == "b"
    assert cluster.terms["b"].holds()


def test_a_process_that_starts_again_is_another_holder() -> None:
    """Under the old token a process that was thought dead could go on delivering."""
    first = decided(Lease(name=LEAD), Wish(node="a", session="1", length_ms=10), 100)
    again = Wish(node="a", session="2", length_ms=10)
    assert decided(first, again, 109) == first
    assert decided(first, again, 110).token == 2


def test_a_term_ends_before_its_lease() -> None:
    """A holder that can't renew must be silent before another may speak."""
    now_s = 0.0
    term = Term(lambda: now_s)
    term.renew(7, asked_s=0.0, length_s=10.0)
    now_s = 8.4
    assert (term.holds(), term.token) == (True, 7)
    now_s = 8.6
    assert (term.holds(), term.token) == (False, 0)

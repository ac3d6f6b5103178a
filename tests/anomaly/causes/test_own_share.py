"""Whose own share of lost time or failures is the largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.causes.call_graph import CallGraph
from anomaly.causes.deviation import NodeSeries, Symptom, run_steps
from anomaly.causes.own_share import Verdict, blame

CALLS = [
    ("front", "cart"),
    ("front", "search"),
    ("cart", "stock"),
    ("search", "db"),
    ("cart", "db"),
]
NODES = ("cart", "db", "front", "search", "stock")
USUAL_S = {"front": 0.100, "cart": 0.040, "search": 0.030, "stock": 0.020, "db": 0.010}
BEFORE_STEPS = 60


def _before(symptom: Symptom) -> dict[str, NodeSeries]:
    """Return an hour of health: 100 requests a minute, times that swing by 2 %, no failure."""
    swing = 1.0 + 0.02 * np.sin(np.arange(BEFORE_STEPS))
    return {
        node: NodeSeries(
            requests=np.full(BEFORE_STEPS, 100.0),
            level=USUAL_S[node] * swing if symptom is Symptom.SLOW else np.zeros(BEFORE_STEPS),
        )
        for node in NODES
    }


def _now(symptom: Symptom, more: dict[str, list[float]]) -> dict[str, NodeSeries]:
    """Return five minutes of it, of some services with so much added."""
    usual = USUAL_S if symptom is Symptom.SLOW else dict.fromkeys(NODES, 0.0)
    return {
        node: NodeSeries(
            requests=np.full(5, 100.0), level=usual[node] + np.array(more.get(node, [0.0] * 5))
        )
        for node in NODES
    }


def _verdict(symptom: Symptom, more: dict[str, list[float]]) -> Verdict:
    return blame(CallGraph(CALLS), "front", symptom, _before(symptom), _now(symptom, more))


def _late(seconds: float) -> list[float]:
    return [0.0, 0.0, seconds, seconds, seconds]


@pytest.mark.parametrize(
    ("symptom", "more", "ranked"),
    [
        (Symptom.SLOW, {"stock": 0.2, "cart": 0.2, "front": 0.2}, [("stock", "front>cart>stock")]),
        (
            Symptom.SLOW,
            {"cart": 0.2, "front": 0.25},
            [("cart", "front>cart"), ("front", "front")],
        ),
        (Symptom.SLOW, {"front": 0.3}, [("front", "front")]),
        (
            Symptom.SLOW,
            {"db": 0.05, "cart": 0.05, "search": 0.05, "front": 0.05},
            [("db", "front>cart>db")],
        ),
        (Symptom.FAILING, {"search": 0.04, "front": 0.04}, [("search", "front>search")]),
        (Symptom.FAILING, {"search": 0.04}, [("search", "front>search")]),
        (Symptom.SLOW, {}, []),
        (Symptom.FAILING, {}, []),
        (Symptom.SLOW, {"front": 0.002}, []),
        (Symptom.SLOW, {"db": 0.05}, []),
    ],
)
def test_who_is_blamed(
    symptom: Symptom, more: dict[str, float], ranked: list[tuple[str, str]]
) -> None:
    """The service that adds most, with the path to it; nobody when nothing is off or felt above."""
    found = _verdict(symptom, {node: _late(amount) for node, amount in more.items()})
    assert [(one.node, ">".join(one.path)) for one in found.suspects] == ranked


def test_what_is_told_of_a_suspect() -> None:
    """What it costs, what of that is its own, since when, and what it passes on from whom."""
    found = _verdict(Symptom.SLOW, {"cart": _late(0.2), "front": _late(0.25), "stock": _late(0.08)})
    cart = found.suspects[0]
    assert (cart.node, cart.worst_callee, cart.linked, cart.onset) == ("cart", "stock", True, 2)
    assert (cart.extra, cart.own, cart.level) == pytest.approx((20.0, 12.0, 0.24), rel=1e-3)
    assert [one.node for one in found.suspects] == ["cart", "stock", "front"]
    assert sum(one.share for one in found.suspects) == pytest.approx(1.0)


def test_what_lies_behind_a_healthy_service_counts_less() -> None:
    """Both cost as much; the one that nothing anomalous leads to comes second."""
    late = {"stock": _late(0.2), "search": _late(0.2), "front": _late(0.4)}
    found = _verdict(Symptom.SLOW, late)
    assert [(one.node, one.linked) for one in found.suspects] == [
        ("search", True),
        ("front", True),
        ("stock", False),
    ]
    assert found.suspects[2].path == ("front", "cart", "stock")


def test_a_single_step_is_no_cause() -> None:
    """A spike of one step is off by itself, and explains nothing."""
    assert not _verdict(Symptom.SLOW, {"front": [0.0, 0.0, 5.0, 0.0, 0.0]}).suspects
    assert _verdict(Symptom.SLOW, {"front": [0.0, 0.0, 5.0, 5.0, 0.0]}).suspects


def test_ties_go_to_the_deeper_service_then_to_the_name() -> None:
    """Two that add the very same are ranked the same way every time."""
    late = {"stock": _late(0.1), "db": _late(0.1), "cart": _late(0.1), "front": _late(0.1)}
    before, now = _before(Symptom.SLOW), _now(Symptom.SLOW, late)
    for one in (before, now):
        one["db"] = one["stock"]
    found = blame(CallGraph(CALLS), "front", Symptom.SLOW, before, now)
    assert [one.node for one in found.suspects] == ["db", "stock"]


@pytest.mark.parametrize(
    ("level", "requests"),
    [([np.nan] * 5, [100.0] * 5), ([9.0] * 5, [0.0] * 5)],
)
def test_what_was_not_measured_is_no_evidence(level: list[float], requests: list[float]) -> None:
    """Unknown times, and times of no requests, blame nobody."""
    now = _now(Symptom.SLOW, {})
    now["stock"] = NodeSeries(requests=np.array(requests), level=np.array(level))
    assert not blame(CallGraph(CALLS), "front", Symptom.SLOW, _before(Symptom.SLOW), now).suspects


def test_a_service_that_is_new_is_not_compared() -> None:
    """With fewer than ten healthy steps there is no usual."""
    before = {
        n: NodeSeries(requests=s.requests[:9], level=s.level[:9])
        for n, s in _before(Symptom.SLOW).items()
    }
    found = blame(
        CallGraph(CALLS), "front", Symptom.SLOW, before, _now(Symptom.SLOW, {"front": _late(1.0)})
    )
    assert (found.suspects, found.known) == ((), 0)


@given(st.permutations(CALLS), st.lists(st.floats(0.0, 0.5), min_size=5, max_size=5))
def test_the_order_of_calls_changes_nothing(
    calls: list[tuple[str, str]], amounts: list[float]
) -> None:
    """Whatever is off, the graph in another order gives the same verdict."""
    now = _now(Symptom.SLOW, {n: _late(a) for n, a in zip(NODES, amounts, strict=True)})
    before = _before(Symptom.SLOW)
    first = blame(CallGraph(CALLS), "front", Symptom.SLOW, before, now)
    assert blame(CallGraph(calls), "front", Symptom.SLOW, before, now) == first


@given(st.lists(st.floats(0.0, 0.5), min_size=5, max_size=5))
def test_own_shares_are_conserved(amounts: list[float]) -> None:
    """Nobody owns more than it costs, and shares add up to the whole."""
    found = _verdict(Symptom.SLOW, {n: _late(a) for n, a in zip(NODES, amounts, strict=True)})
    assert all(0.0 < one.own <= one.extra for one in found.suspects)
    assert not found.suspects or sum(o.share for o in found.suspects) == pytest.approx(1.0)


def test_a_call_cycle_ends() -> None:
    """Services that call each other are each charged once."""
    before = {"a": _before(Symptom.SLOW)["front"], "b": _before(Symptom.SLOW)["cart"]}
    now = _now(Symptom.SLOW, {"front": _late(0.3), "cart": _late(0.2)})
    frame = {"a": now["front"], "b": now["cart"]}
    graph = CallGraph([("a", "b"), ("b", "a"), ("a", "a")])
    found = blame(graph, "a", Symptom.SLOW, before, frame)
    assert [(one.node, one.path) for one in found.suspects] == [("a", ("a",))]


@pytest.mark.parametrize(("steps", "run"), [(1, 1), (2, 2), (5, 2), (10, 2), (11, 3), (100, 20)])
def test_how_long_something_must_last(steps: int, run: int) -> None:
    """Two steps at least, a fifth of a long frame."""
    assert run_steps(steps) == run

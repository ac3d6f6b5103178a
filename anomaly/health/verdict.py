"""From what is unusual to a colour for each service, with its reasons. Pure.

Errors weigh more than durations; what happens to a service itself more than what happens to those
whom it calls, and those it calls itself more than those behind them. A service that is unwell as
whom it calls is sick says so, and is not blamed: it is yellow, and the one below it red. Traffic
that moves from one region to another is no loss. What is not measured is grey, never green.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from anomaly.health import reasons as say
from anomaly.health.reasons import Colour, Reason, Topic
from anomaly.health.sight import Sight

FELT = 0.01
"""From this share of requests on that fail beyond what is usual, a service is red."""
MANY_FAIL = 0.5
"""Of a service that fails so many requests nobody says that it is well, however usual that is."""
SLOW = 3.0
"""A service that takes so many times as long as usual is red."""
_LOST = 0.5
_GAINED = 1.3
_KEPT = 0.75
_MAX_REASONS = 5


class State(IntEnum):
    """Why a service has its colour."""

    WELL = 0
    UNWELL = 1
    LEARNING = 2
    FEW_REQUESTS = 3
    SILENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that is known in one step.

    Attributes:
        services: What each source says of a service, by its name.
        regions: The same of its regions.
        operations: Of its operations, those not as usual at least.
        edges: By caller and callee.
        fullness: How full the fullest instance of a service is, 0 to 1, where that is unusual.
    """

    services: Mapping[str, Sequence[Sight]]
    regions: Mapping[str, Sequence[Sight]] = field(default_factory=dict)
    operations: Mapping[str, Sequence[Sight]] = field(default_factory=dict)
    edges: Mapping[tuple[str, str], Sight] = field(default_factory=dict)
    fullness: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a service is.

    Attributes:
        service: Its name.
        colour: Of its health.
        state: What the colour means.
        reasons: Why, the weightiest first.
        path: From it down to the service that is to blame, both included; empty for none below it.
    """

    service: str
    colour: Colour
    state: State
    reasons: tuple[Reason, ...]
    path: tuple[str, ...] = ()


def verdicts(seen: Seen) -> dict[str, Verdict]:
    """Return how every service is."""
    own = {name: tuple(_own(name, seen)) for name in seen.services}
    callees = _callees(seen.edges)
    found: dict[str, Verdict] = {}
    for name in sorted(seen.services):
        path = _path(name, own, callees, seen)
        found[name] = _verdict(name, own, path, seen)
    return found


def _verdict(
    name: str, own: Mapping[str, Sequence[Reason]], path: tuple[str, ...], seen: Seen
) -> Verdict:
    sights, told = seen.services[name], list(own[name])
    if len(path) > 1:
        # It is unwell, and somebody else is to blame: nothing of its own makes it red.
        told = [replace(one, colour=min(one.colour, Colour.YELLOW)) for one in told]
        told += [
            say.callee(below, own[below], hops) for hops, below in enumerate(path[1:], start=1)
        ]
    elif _is_asked_less(name, own, seen):
        told = [_unblamed(one) for one in told]
    worst = max((one.colour for one in told), default=Colour.GREEN)
    if worst > Colour.GREEN:
        ranked = sorted(told, key=lambda one: (-one.colour, one.hops, one.topic))
        return Verdict(
            service=name,
            colour=worst,
            state=State.UNWELL,
            reasons=tuple(ranked[:_MAX_REASONS]),
            path=path if len(path) > 1 else (),
        )
    return _calm(name, sights, told)


def _calm(name: str, sights: Sequence[Sight], told: Sequence[Reason]) -> Verdict:
    """Return the verdict of a service of which nothing bad is known: well, or not known."""

    def grey(state: State, reason: Reason) -> Verdict:
        reasons = (reason, *told)
        return Verdict(service=name, colour=Colour.GREY, state=state, reasons=reasons)

    if all(one.is_silent for one in sights):
        return grey(State.SILENT, say.silent(min(sights, key=lambda one: one.silent)))
    known = [one for one in sights if one.is_known]
    if known:
        return Verdict(
            service=name,
            colour=Colour.GREEN,
            state=State.WELL,
            reasons=tuple(told) or (say.well(known[0]),),
        )
    heard = [one for one in sights if not one.is_silent]
    many = [one for one in heard if not one.has_few]
    if not many:
        return grey(State.FEW_REQUESTS, say.few(max(heard, key=lambda one: one.pooled)))
    return grey(State.LEARNING, say.learning(max(many, key=lambda one: one.seen)))


# -- what happens to a service itself -------------------------------------------------------------


def _own(name: str, seen: Seen) -> Iterator[Reason]:
    sights = seen.services[name]
    failing = [one for one in sights if one.errors.wrong]
    slow = [one for one in sights if one.duration.wrong]
    if failing:
        worst = max(failing, key=lambda one: one.errors.value)
        much = worst.errors.value - worst.errors.usual >= FELT
        yield say.errors(worst, Colour.RED if much else Colour.YELLOW)
    else:
        often = [one for one in sights if one.errors.value >= MANY_FAIL]
        if often:
            yield say.fails_often(often[0])
    if slow:
        worst = max(slow, key=lambda one: one.duration.value / one.duration.usual)
        much = worst.duration.value >= SLOW * worst.duration.usual
        yield say.slow(worst, Colour.RED if much else Colour.YELLOW)
    yield from _parts(seen.regions.get(name, ()), Topic.REGION, bool(failing), bool(slow))
    yield from _parts(seen.operations.get(name, ()), Topic.OPERATION, bool(failing), bool(slow))
    yield from _traffic(sights, seen.regions.get(name, ()))
    if name in seen.fullness:
        yield say.full(seen.fullness[name])


def _parts(sights: Sequence[Sight], topic: Topic, failing: bool, slow: bool) -> Iterator[Reason]:
    """Yield which regions or operations fail or are slow, the worst first, two at most of each.

    A region that fails is as bad as the service; one operation among many is not.
    """
    bad = sorted((one for one in sights if one.errors.wrong), key=lambda one: -one.errors.value)
    for one in bad[:2]:
        much = topic is Topic.REGION and one.errors.value - one.errors.usual >= FELT
        yield say.part_fails(one, topic, Colour.RED if much or failing else Colour.YELLOW)
    if bad:
        return
    late = [one for one in sights if one.duration.wrong]
    late.sort(key=lambda one: -(one.duration.value / one.duration.usual))
    for one in late[:2]:
        much = topic is Topic.REGION and one.duration.value >= SLOW * one.duration.usual
        yield say.part_slow(one, topic, Colour.RED if much or (slow and much) else Colour.YELLOW)


def _traffic(sights: Sequence[Sight], regions: Sequence[Sight]) -> Iterator[Reason]:
    """Yield what became of the requests; none for a service that is silent altogether."""
    lost = [one for one in sights if one.traffic.wrong]
    left = [one for one in regions if _lost(one)]
    taken = [one for one in regions if _gained(one)]
    if left and taken and not any(_share(one) < _KEPT for one in lost):
        yield say.moved(left, taken)
    elif lost:
        worst = min(lost, key=_share)
        yield say.lost(worst, Colour.RED if _share(worst) < _LOST else Colour.YELLOW)
    elif left and any(one.traffic.wrong for one in left):
        yield say.lost_in(left[0], Colour.YELLOW)


def _share(one: Sight) -> float:
    return one.traffic.value / one.traffic.usual if one.traffic.usual > 0 else 1.0


def _lost(one: Sight) -> bool:
    """Return whether a region gets far fewer requests: or none at all, as far as is known."""
    return one.traffic.wrong or (one.seen > 0 and one.missing)


def _gained(one: Sight) -> bool:
    return not one.is_silent and _share(one) >= _GAINED


# -- what others do to it -------------------------------------------------------------------------


def _callees(edges: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for caller, callee in sorted(edges):
        if caller != callee:
            found.setdefault(caller, []).append(callee)
    return found


def _sick(told: Sequence[Reason]) -> Topic | None:
    """Return what is worst about a service itself: it fails, or it is slow; None for neither."""
    topics = [one.symptom for one in told if one.symptom in (Topic.ERRORS, Topic.DURATION)]
    return min(topics, default=None)


def _path(
    name: str,
    own: Mapping[str, Sequence[Reason]],
    callees: Mapping[str, Sequence[str]],
    seen: Seen,
) -> tuple[str, ...]:
    """Return the way down to who is to blame, through callees that are as unwell as their caller.

    The callee whose calls fail is to blame before one whose calls are slow. A service that fails
    is not excused by a callee that is only slow, unless the calls to it fail.
    """
    path = [name]
    symptom = _sick(own[name])
    while symptom is not None:
        below = _to_blame(path[-1], symptom, own, callees, seen)
        if below is None or below in path:
            break
        path.append(below)
        symptom = _sick(own[below])
    return tuple(path)


def _to_blame(
    name: str,
    symptom: Topic,
    own: Mapping[str, Sequence[Reason]],
    callees: Mapping[str, Sequence[str]],
    seen: Seen,
) -> str | None:
    found: list[tuple[int, float, str]] = []
    for callee in callees.get(name, ()):
        if callee not in own:
            continue
        theirs, edge = _sick(own[callee]), seen.edges[name, callee]
        if theirs is None or edge.is_silent:
            continue
        fails, slow = edge.errors.wrong, edge.duration.wrong
        same = theirs is symptom or (symptom is Topic.DURATION and theirs is Topic.ERRORS)
        if fails or slow or same:
            found.append((0 if fails else 1 if slow else 2, -edge.traffic.value, callee))
    return min(found)[2] if found else None


def _is_asked_less(name: str, own: Mapping[str, Sequence[Reason]], seen: Seen) -> bool:
    """Return whether those who call a service are themselves unwell, or get fewer requests."""
    callers = [caller for caller, callee in seen.edges if callee == name and caller in own]
    return any(one.colour > Colour.GREEN for caller in callers for one in own[caller])


def _unblamed(one: Reason) -> Reason:
    if one.topic is not Topic.TRAFFIC or one.colour <= Colour.GREEN:
        return one
    return say.asked_less(one)

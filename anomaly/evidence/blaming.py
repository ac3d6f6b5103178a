"""From a finding to the services below it whose own share explains it, by the calls in traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from anomaly.causes.call_graph import CallGraph
from anomaly.causes.deviation import NodeSeries, Symptom, deviations
from anomaly.causes.entry import way_in
from anomaly.causes.load import surge
from anomaly.causes.own_share import OFF_SIGMAS, GraphSuspect, Verdict, blame
from anomaly.evidence.causes import MAX_SUSPECTS
from anomaly.findings import Finding, Suspect
from collectors.changes.change import SERVICE
from collectors.model import Tags
from collectors.traces.calls import PLACE_KEYS, USER
from collectors.traces.traffic import EdgeTraffic
from tocsin.client.wording import clock, multiple, number, percent, quantity

STEP_MS = 15_000
BEFORE_STEPS = 120
MAX_FRAME_STEPS = 80
_MIN_FRAME_STEPS = 2
_SETTLED_STEPS = 4
_FAINT_SIGMAS = 10.0


class TrafficFinder(Protocol):
    """Something that knows what services asked of each other, such as the span store."""

    def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> Sequence[EdgeTraffic]:
        """Return what each edge carried in each step from ``start_ms`` up to ``end_ms``."""
        ...


class TrafficOnce:
    """Asks for the same traffic once: findings of a storm begin together, and a sum is dear.

    Args:
        traffic: Whom to ask.
    """

    def __init__(self, traffic: TrafficFinder) -> None:
        self._traffic = traffic
        self._known: dict[tuple[int, int, int], Sequence[EdgeTraffic]] = {}

    def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> Sequence[EdgeTraffic]:
        """Return what was answered before to the same question, or ask."""
        asked = start_ms, end_ms, step_ms
        if asked not in self._known:
            self._known[asked] = self._traffic.traffic(start_ms, end_ms, step_ms)
        return self._known[asked]

    def forget(self) -> None:
        """Ask anew from now on."""
        self._known.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What the calls say.

    Attributes:
        suspects: The likeliest first.
        known: How many services could be compared with what they were before; 0 while the newest
            calls may still be on their way, when nobody can be said to be well.
    """

    suspects: tuple[Suspect, ...]
    known: int


NO_BLAME = Blame(suspects=(), known=0)


def blamed(traffic: TrafficFinder, finding: Finding, errors: bool, service: str | None) -> Blame:
    """Return whom the calls before and during a finding make suspect.

    Where spans tell regions apart and the finding is about one, its calls alone are looked at:
    what is broken in one region would hardly show among all.

    Args:
        traffic: Knows the calls.
        finding: What is to be explained.
        errors: Whether it is about failures; about slowness if not.
        service: Where it is felt; None: where the finding says, else wherever users come in.
    """
    onset_ms = finding.started_ms // STEP_MS * STEP_MS
    end_ms = max(finding.updated_ms // STEP_MS, onset_ms // STEP_MS + _MIN_FRAME_STEPS) * STEP_MS
    end_ms = min(end_ms, onset_ms + MAX_FRAME_STEPS * STEP_MS)
    edges = traffic.traffic(onset_ms - BEFORE_STEPS * STEP_MS, end_ms, STEP_MS)
    frame = _Frame(
        edges=_of_place(edges, finding.scope),
        symptom=Symptom.FAILING if errors else Symptom.SLOW,
        onset_ms=onset_ms,
    )
    felt = service or finding.scope.get(SERVICE, "")
    best, known = _best_verdict(frame, felt)
    told = [_suspect(one, frame, felt) for one in best.suspects[:MAX_SUSPECTS]] if best else []
    told = _with_load(told, frame)
    settled = finding.updated_ms - onset_ms >= _SETTLED_STEPS * STEP_MS
    return Blame(suspects=tuple(told), known=known if settled else 0)


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Calls before and during what is to be explained.

    Attributes:
        edges: Who called whom, step by step, the first ``BEFORE_STEPS`` of them before the onset.
        symptom: What is wrong.
        onset_ms: When the first step of the frame begins, epoch milliseconds.
    """

    edges: Sequence[EdgeTraffic]
    symptom: Symptom
    onset_ms: int

    @cached_property
    def nodes(self) -> dict[str, NodeSeries]:
        """Each service as all its callers saw it together."""
        return _nodes(self.edges, self.symptom)

    @cached_property
    def before(self) -> dict[str, NodeSeries]:
        """Each service before the onset."""
        return {name: _part(one, None, BEFORE_STEPS) for name, one in self.nodes.items()}

    @cached_property
    def now(self) -> dict[str, NodeSeries]:
        """Each service since the onset."""
        return {name: _part(one, BEFORE_STEPS, None) for name, one in self.nodes.items()}

    @cached_property
    def graph(self) -> CallGraph:
        """Who calls whom."""
        return CallGraph((edge.client, edge.server) for edge in self.edges)

    @cached_property
    def off_since_ms(self) -> dict[str, int]:
        """Since when each service that is off is so, epoch milliseconds."""
        found = deviations(self.before, self.now, self.symptom, OFF_SIGMAS)
        return {
            name: self.moment_ms(one.onset)
            for name, one in found.items()
            if one.onset >= 0 and float(one.sigmas.max()) > OFF_SIGMAS
        }

    @cached_property
    def costs(self) -> dict[tuple[str, str], float]:
        """Return what each callee's answers cost each caller beyond the usual in the frame."""
        found: dict[tuple[str, str], float] = {}
        for edge in self.edges:
            spent = edge.errors if self.symptom is Symptom.FAILING else edge.seconds
            # The median, so that an earlier failure within the half hour does not count as usual.
            asked = np.flatnonzero(edge.calls[:BEFORE_STEPS] > 0)
            usual = float(np.median(spent[asked] / edge.calls[asked])) if len(asked) else 0.0
            extra = float(spent[BEFORE_STEPS:].sum() - usual * edge.calls[BEFORE_STEPS:].sum())
            key = edge.client, edge.server
            found[key] = found.get(key, 0.0) + extra
        return found

    def moment_ms(self, step: int) -> int:
        """Return when a step of the frame begins, epoch milliseconds; 0 for none."""
        return self.onset_ms + step * STEP_MS if step >= 0 else 0


def _of_place(edges: Sequence[EdgeTraffic], scope: Tags) -> Sequence[EdgeTraffic]:
    """Return the calls of the place that a finding is about; all when no span names it."""
    wanted = {scope[key] for key in PLACE_KEYS if scope.get(key)}
    if not any(edge.place in wanted for edge in edges):
        return edges
    return [edge for edge in edges if not edge.place or edge.place in wanted]


def _best_verdict(frame: _Frame, felt: str) -> tuple[Verdict | None, int]:
    """Return the verdict that weighs most, and how many services could be compared.

    What is below where it is felt comes first. When nobody there is off, it is looked for below
    wherever requests come in: a step that fails before may keep requests from getting that far.
    """
    nodes, graph = frame.nodes, frame.graph
    entries = {name for root in (USER, *graph.roots()) for name in graph.callees(root)}
    verdicts: list[Verdict] = []
    for targets in ([felt] if felt in nodes else [], sorted(entries - {felt})):
        verdicts += [
            blame(graph, target, frame.symptom, frame.before, frame.now) for target in targets
        ]
        if any(verdict.suspects for verdict in verdicts):
            break
    if not verdicts:
        return None, 0
    return max(verdicts, key=_worth), max(verdict.known for verdict in verdicts)


def _with_load(told: list[Suspect], frame: _Frame) -> list[Suspect]:
    """Return suspects with whoever asks far more than usual behind them, if anybody does."""
    for entry in frame.graph.roots():
        calls = np.sum([one.calls for one in frame.edges if one.client == entry], axis=0)
        risen = surge(calls[:BEFORE_STEPS], calls[BEFORE_STEPS:])
        if risen is None or any(one.service == entry for one in told):
            continue
        since_ms = frame.moment_ms(risen.onset)
        share = 1.0 - 1.0 / risen.factor
        asker = Suspect(
            service=entry,
            share=share,
            reason=(
                f"asks {multiple(risen.factor)} as much as usual since {clock(since_ms)}: "
                f"{number(risen.now)} requests in {STEP_MS // 1_000} s, usually "
                f"{number(risen.usual)}"
            ),
            path=(entry,),
            onsets_ms=(since_ms,),
        )
        rest = [replace(one, share=one.share * (1.0 - share)) for one in told]
        told = sorted([*rest, asker], key=lambda one: (-one.share, one.service))[:MAX_SUSPECTS]
    return told


def _worth(verdict: Verdict) -> float:
    return verdict.suspects[0].score if verdict.suspects else 0.0


def _nodes(edges: Sequence[EdgeTraffic], symptom: Symptom) -> dict[str, NodeSeries]:
    """Return each service as all its callers saw it together."""
    served: dict[str, list[EdgeTraffic]] = {}
    for edge in edges:
        served.setdefault(edge.server, []).append(edge)
    found = {}
    for name, into in served.items():
        calls = np.sum([edge.calls for edge in into], axis=0)
        costs = [edge.errors if symptom is Symptom.FAILING else edge.seconds for edge in into]
        asked = np.where(calls > 0, calls, np.nan)
        found[name] = NodeSeries(requests=calls, level=np.sum(costs, axis=0) / asked)
    return found


def _part(series: NodeSeries, first: int | None, last: int | None) -> NodeSeries:
    return NodeSeries(requests=series.requests[first:last], level=series.level[first:last])


def _suspect(one: GraphSuspect, frame: _Frame, felt: str) -> Suspect:
    """Return a suspect with the evidence in words."""
    since = f" since {clock(frame.moment_ms(one.onset))}" if one.onset >= 0 else ""
    if frame.symptom is Symptom.FAILING:
        seen = f"{percent(one.level)} of its requests fail{since}, usually {percent(one.usual)}"
    else:
        usual, level = quantity(one.usual, "s"), quantity(one.level, "s")
        seen = f"a request takes {level}{since}, usually {usual}"
    own = f"{percent(one.own / one.extra)} of that is its own"
    path = (*way_in(frame.costs, one.path[0], USER)[:-1], *one.path)
    since_ms = frame.off_since_ms
    return Suspect(
        service=one.node,
        share=one.share,
        reason=f"{seen}; {own}",
        path=path,
        against=(*_against(one), *_apart(one, felt)),
        onsets_ms=tuple(since_ms.get(name, 0) for name in path),
        felt_by=tuple(name for name in frame.graph.callers_above(one.node) if name in since_ms),
    )


def _apart(one: GraphSuspect, felt: str) -> tuple[str, ...]:
    """Return that no call leads from where it is felt to a suspect, when none does."""
    return (f"no call leads to it from {felt}",) if felt and felt not in one.path else ()


def _against(one: GraphSuspect) -> tuple[str, ...]:
    found = []
    if not one.linked:
        found.append("a service on the way to it is as usual")
    if one.worst_callee:
        part = 1.0 - one.own / one.extra
        found.append(f"{percent(part)} of it comes from {one.worst_callee} below it")
    if one.sigmas < _FAINT_SIGMAS:
        found.append(f"only {one.sigmas:.1f} times its usual noise")
    return tuple(found)

"""Whose own share is the largest: what a service adds, less what it only passes on.

Time and failures are conserved on their way up a call graph: a caller is as late as its callee made
it, and later by what it adds itself. So each service is charged with what it costs beyond the usual
(seconds or failed requests a step), less what the worst of its anomalous callees costs: at most all
of that came from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from anomaly.causes.call_graph import CallGraph
from anomaly.causes.deviation import Deviation, NodeSeries, Symptom, deviations

OFF_SIGMAS = 3.0
"""From when on a service counts as off."""

TARGET_SIGMAS = 4.0
"""From when on the service that is asked about is itself sure to be off."""

SUSPECT_SIGMAS = 5.0
"""From when on a service below it is sure to be off although it is not."""

_FELT_SHARE = 0.1
_UNLINKED = 0.3
_ITSELF = 0.5
_CONVINCING_SIGMAS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSuspect:
    """A service that may be the cause.

    Attributes:
        node: Its name.
        path: From the service asked about to it.
        linked: Whether everything on ``path`` is off.
        score: What suspects are ranked by.
        share: Part of the scores of all suspects, 0 to 1.
        own: What it adds itself a step: seconds, or failed requests.
        extra: What it costs a step, with what it passes on.
        sigmas: How far it is off, in its noise before.
        usual: Mean seconds of a request, or share that failed, before.
        level: The same now.
        onset: First step of the frame in which it is off.
        worst_callee: Anomalous callee that costs most; "" for none.
    """

    node: str
    path: tuple[str, ...]
    linked: bool
    score: float
    share: float
    own: float
    extra: float
    sigmas: float
    usual: float
    level: float
    onset: int
    worst_callee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found below a service.

    Attributes:
        suspects: The likeliest first; none means that nothing in here explains it.
        target_sigmas: How far the service itself is off.
        known: How many services could be compared with what they were before.
    """

    suspects: tuple[GraphSuspect, ...]
    target_sigmas: float
    known: int


def blame(
    graph: CallGraph,
    target: str,
    symptom: Symptom,
    before: Mapping[str, NodeSeries],
    now: Mapping[str, NodeSeries],
) -> Verdict:
    """Return who below ``target``, itself included, explains that it is slow or failing.

    The same input gives the same order: ties go to the deeper service, then to the name.

    Args:
        graph: Who calls whom.
        target: The service that is asked about.
        symptom: What is wrong with it.
        before: Steps of health by service, at least ten known ones each.
        now: Steps of the frame by service, as many each.
    """
    paths = graph.paths(target)
    below = {name: series for name, series in now.items() if name in paths}
    found = deviations(before, below, symptom, OFF_SIGMAS)
    runs = max((len(one.sigmas) for one in found.values()), default=0)
    best: tuple[GraphSuspect, ...] = ()
    for run in range(runs):
        suspects = _of_run(graph, target, paths, found, run)
        sure = suspects and _is_sure(suspects[0], found.get(target), symptom, run)
        if sure and (not best or suspects[0].score > best[0].score):
            best = suspects
    at_target = found.get(target)
    worst = float(at_target.sigmas.max()) if at_target is not None else 0.0
    return Verdict(suspects=_shared(best), target_sigmas=worst, known=len(found))


def _of_run(
    graph: CallGraph,
    target: str,
    paths: Mapping[str, tuple[str, ...]],
    found: Mapping[str, Deviation],
    run: int,
) -> tuple[GraphSuspect, ...]:
    """Return all that are off in one run of steps, ranked."""
    off = {n: d for n, d in found.items() if d.sigmas[run] > OFF_SIGMAS and d.extra[run] > 0.0}
    linked = graph.paths(target, through=off)
    suspects = []
    for node, one in off.items():
        costs = {name: float(off[name].extra[run]) for name in graph.callees(node) if name in off}
        worst = max(sorted(costs), key=lambda name: costs[name], default="")
        extra, sigmas = float(one.extra[run]), float(one.sigmas[run])
        own = extra - min(extra, costs.get(worst, 0.0))
        weight = min(1.0, sigmas / _CONVINCING_SIGMAS) * (_ITSELF if node == target else 1.0)
        suspects.append(
            GraphSuspect(
                node=node,
                path=linked.get(node, paths[node]),
                linked=node in linked,
                score=own * weight * (1.0 if node in linked else _UNLINKED),
                share=0.0,
                own=own,
                extra=extra,
                sigmas=sigmas,
                usual=one.usual,
                level=float(one.level[run]),
                onset=one.onset,
                worst_callee=worst,
            )
        )
    suspects.sort(key=lambda one: (-one.score, -len(paths[one.node]), one.node))
    return tuple(suspects)


def _is_sure(top: GraphSuspect, target: Deviation | None, symptom: Symptom, run: int) -> bool:
    """Return whether a suspect is more than a service that happens to be off somewhere below.

    A share that fails stands out of health by itself; what is slow below must be felt above.
    """
    sigmas = float(target.sigmas[run]) if target is not None else 0.0
    extra = float(target.extra[run]) if target is not None else 0.0
    if sigmas > TARGET_SIGMAS:
        return True
    felt = symptom is Symptom.FAILING or extra >= _FELT_SHARE * top.extra
    return felt and top.sigmas > SUSPECT_SIGMAS


def _shared(suspects: tuple[GraphSuspect, ...]) -> tuple[GraphSuspect, ...]:
    """Return suspects with their part of all scores; who adds nothing of its own is none."""
    total = sum(one.score for one in suspects)
    return tuple(replace(one, share=one.score / total) for one in suspects if one.score > 0.0)

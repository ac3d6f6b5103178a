"""Where all services stand after a step: kept as arrays, made into rows when somebody asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from anomaly.health.pace import Pace
from anomaly.health.reasons import Reason
from anomaly.health.sight import Sight, Signal, seen_in, wrong_in
from anomaly.health.signals import Judged
from anomaly.health.sources import About, Source
from anomaly.health.verdict import Seen, Verdict, verdicts
from anomaly.rules.rule import Row, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was judged of some steps; its arrays are never written to.

    Attributes:
        judged: By source.
        fullness: By service, how full it is and whether that is unusual, for each step.
        start_ms: When the first step ended.
        pace: How fast it learns.
        step_ms: Length of a step.
        ignored: Services of which nothing is said.
        refused: How many things found no room.
    """

    judged: Sequence[tuple[Source, Judged]]
    fullness: Sequence[Mapping[str, tuple[float, bool]]]
    start_ms: int
    pace: Pace
    step_ms: int
    ignored: frozenset[str] = frozenset()
    refused: int = 0

    def seen(self, step: int) -> Seen:
        """Return what verdicts need to know of a step."""
        edges = {
            (one.names[0], one.names[1]): one for one in self.sights(About.EDGE, step, seen_in)
        }
        return Seen(
            services=self._by_service(self.sights(About.SERVICE, step, seen_in)),
            regions=self._by_service(self.sights(About.REGION, step, seen_in)),
            operations=self._by_service(self.sights(About.OPERATION, step, wrong_in)),
            edges=edges,
            fullness={
                service: value
                for service, (value, unusual) in self.fullness[step].items()
                if unusual
            },
        )

    def verdicts(self, step: int) -> Mapping[str, Verdict]:
        """Return how every service was after a step."""
        return verdicts(self.seen(step))

    def sights(self, about: About, step: int, look: Callable[..., Iterable[Sight]]) -> list[Sight]:
        """Return what all sources know of one sort of things, but for what is ignored."""
        return [
            one
            for source, judged in self.judged
            if source.about is about
            for one in look(source, judged, step, self.pace)
            if one.service not in self.ignored
        ]

    def _by_service(self, sights: Iterable[Sight]) -> Mapping[str, Sequence[Sight]]:
        found: dict[str, list[Sight]] = defaultdict(list)
        for one in sights:
            found[one.service].append(one)
        return found

    def rows(self) -> list[Row]:
        """Return each service as JSON, the sickest first, as it is after the last step."""
        step = len(self.fullness) - 1
        if step < 0:
            return []
        seen = self.seen(step)
        found = verdicts(seen)
        operations = self._by_service(self.sights(About.OPERATION, step, seen_in))
        updated_ms = self.start_ms + step * self.step_ms
        order = sorted(found.values(), key=lambda one: (-one.colour, one.service))
        return [
            {
                **_head(one, seen, updated_ms, self.refused),
                "saturation": number(
                    self.fullness[step].get(one.service, (float("nan"), False))[0]
                ),
                "regions": _parts(seen.regions.get(one.service, ())),
                "operations": _parts(operations.get(one.service, ())),
                "calls": [
                    {"service": to, **_figures(edge)}
                    for (by, to), edge in sorted(seen.edges.items())
                    if by == one.service
                ],
                "called_by": [
                    {"service": by, **_figures(edge)}
                    for (by, to), edge in sorted(seen.edges.items())
                    if to == one.service
                ],
            }
            for one in order
        ]


def _head(verdict: Verdict, seen: Seen, updated_ms: int, left_out: int) -> Row:
    sights = seen.services[verdict.service]
    return {
        "service": verdict.service,
        "scope": {"service.name": verdict.service},
        "health": verdict.colour.name.lower(),
        "state": verdict.state.name.lower(),
        "reasons": [reason_row(one) for one in verdict.reasons],
        "path": list(verdict.path),
        "told_by": sorted({one.told_by for one in sights}),
        "left_out": left_out,
        **_figures(shown(sights)),
        "updated_ms": updated_ms,
    }


def shown(sights: Sequence[Sight]) -> Sight:
    """Return the source whose figures are shown: the first that knows failures, or anything."""
    heard = [one for one in sights if not one.is_silent] or list(sights)
    known = [one for one in heard if isfinite(one.errors.value)]
    return (known or heard)[0]


def reason_row(one: Reason) -> Row:
    """Return a reason as JSON."""
    return {
        "topic": one.topic.name.lower(),
        "health": one.colour.name.lower(),
        "text": one.text,
        "hops": one.hops,
        "told_by": one.told_by,
        "value": None if one.value is None else number(one.value),
        "usual": None if one.usual is None else number(one.usual),
        "unit": one.unit,
    }


def _parts(sights: Iterable[Sight]) -> list[Row]:
    told: dict[str, Row] = {}
    for one in sights:
        told.setdefault(one.names[-1], {"name": one.names[-1], **_figures(one)})
    return [told[name] for name in sorted(told)]


def _figures(one: Sight) -> Row:
    silent = one.is_silent
    return {
        "traffic": None if silent else number(one.traffic.value),
        "error_ratio": None if silent else _value(one.errors),
        "duration_s": None if silent else _value(one.duration),
        "unusual": [
            name
            for name, signal in (
                ("errors", one.errors),
                ("duration", one.duration),
                ("traffic", one.traffic),
            )
            if signal.wrong and not silent
        ],
    }


def _value(signal: Signal) -> float | None:
    return number(signal.value)

"""The watching half: rules from the configuration directory, and what becomes of them on reload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import structlog

from anomaly.detectors.sensitivity import less_sensitive
from anomaly.engine.engine import Engine
from anomaly.evidence.near_changes import ChangeFinder
from anomaly.findings import FindingSink
from anomaly.health.definition import HealthDefinition
from anomaly.kinds.table import RULE_KINDS, Definitions, make_rules
from anomaly.prometheus_rules.memory_file import FILE, MemoryFile
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.ground import Ground
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.rules.rule import Rule
from collectors.clock import Clock
from collectors.logs.changes import PatternWatch
from collectors.logs.rates import RECORDS, LogRates
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Window
from collectors.stacklang.predicates.predicate import And, Equal, Query
from collectors.traces.span_rates import SERVED, SpanRates
from runbooks.desk.desk import IncidentDesk
from tocsin.alive.own_delay import OnOneMachine
from tocsin.cluster.shards.own import NODE_KEY
from tocsin.collecting import Collectors
from tocsin.seasons.keeping import KeptSeason, kept_seasons, with_season
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A rule with the definition that it was made of, without the place of that in its file."""

    kind: str
    definition: Any
    rule: Rule[Any]


def rules_of(
    definitions: Definitions,
    step_ms: int,
    before: Iterable[Made] = (),
    noise: Mapping[str, int] = MappingProxyType({}),
    seasons: Mapping[str, KeptSeason] = MappingProxyType({}),
) -> tuple[Made, ...]:
    """Return the rules of ``definitions``; those of ``before`` that did not change are kept.

    Args:
        definitions: By the name of their kind.
        step_ms: Length of a step.
        before: The rules so far, with their state.
        noise: How often people called noise what a detector found, by its name.
        seasons: Which season the lines of a detector were found to have, by its name.
    """
    known = {(made.kind, made.definition.name): made for made in before}
    rules: list[Made] = []
    for kind in RULE_KINDS:
        for definition in definitions.get(kind.name, ()):
            times = noise.get(definition.name, 0)
            if isinstance(definition, DetectorDefinition):
                definition = with_season(definition, seasons, step_ms)  # noqa: PLW2901
                if times:
                    parameters = less_sensitive(definition.parameters, times)
                    definition = replace(definition, parameters=parameters)  # noqa: PLW2901
            if isinstance(definition, HealthDefinition):
                definition = replace(definition, covered=_covered(definitions))  # noqa: PLW2901
            placeless = replace(definition, source="")
            made = known.get((kind.name, definition.name))
            if made is None or made.definition != placeless:
                (rule,) = make_rules({kind.name: [definition]}, step_ms, [kind])
                made = Made(kind=kind.name, definition=placeless, rule=rule)
            rules.append(made)
    return tuple(rules)


def _covered(definitions: Definitions) -> frozenset[str]:
    """Return the services that an objective watches: they are told of by what was promised."""
    return frozenset(one.service for one in definitions.get(ObjectiveRule.kind, ()))


def first_rules(
    settings: Settings, definitions: Definitions, desk: IncidentDesk
) -> tuple[Made, ...]:
    """Return the rules of a start, as sensitive as people have left them."""
    seasons = kept_seasons(settings.data_dir)
    return rules_of(
        definitions, settings.step.ms, noise=desk.alerting.noise.times(), seasons=seasons
    )


def open_engine(
    settings: Settings,
    rules: Sequence[Made],
    collectors: Collectors,
    clock: Clock,
    sink: FindingSink,
    changes: ChangeFinder,
) -> Engine:
    """Return the engine over everything that the configuration asks to watch."""
    return Engine(
        collectors.judging,
        [made.rule for made in rules],
        [sink],
        clock,
        settings.step.ms,
        traces=collectors.spans,
        traffic=collectors.spans,
        patterns=PatternWatch(collectors.logs.store),
        changes=changes,
        arrivals=collectors.judging,
        delays=OnOneMachine(collectors.delays, collectors.sources, settings.host),
        ground=Ground(
            store=collectors.judging,
            memory=MemoryFile(settings.data_dir / FILE, collectors.machine),
            clock=clock,
            external_url=settings.api_url.partition(",")[0],
        ),
        max_wait_ms=settings.evaluation_delay.ms,
        max_late_ms=settings.late_data.ms,
    )


def open_span_rates(collectors: Collectors) -> SpanRates:
    """Return what makes metrics of spans, to go on where it was before a restart."""
    newest_ms = partial(_newest_own_ms, collectors, SERVED)
    return SpanRates(collectors.spans, collectors.own, newest_ms, collectors.metrics.step_ms)


def open_log_rates(collectors: Collectors) -> LogRates:
    """Return what makes metrics of log records, to go on where it was before a restart."""
    newest_ms = partial(_newest_own_ms, collectors, RECORDS)
    return LogRates(collectors.logs.store, collectors.own, newest_ms, collectors.metrics.step_ms)


def _newest_own_ms(collectors: Collectors, name: str) -> int:
    """Return the end of the newest step that this process wrote of a metric, 0 for none."""
    step_ms, shards = collectors.metrics.step_ms, collectors.shards
    query: Query = Equal("name", name)
    if shards is not None:
        query = And(query, Equal(NODE_KEY, shards.membership.me))
    written = Fetch(
        query=query,
        aggregate=Aggregate.SUM,
        consolidation=Consolidation.AVG,
        window=Window.single(step_ms, step_ms),
    )
    return collectors.reading.newest_ms(written)


def begin_again(
    now_ms: int,
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    rules_anew: Callable[[], None],
) -> None:
    """Begin again at ``now_ms``, which lies before what was the present.

    Samples of later times, which the new ones would meet, leave the hot window; history has them.
    Rules go through the past as at a start, and what waits to be sent does not wait for the time
    that was.
    """
    _log.warning("time set back", to_ms=now_ms)
    collectors.metrics.forget_after(now_ms)
    desk.begin_again(now_ms)
    engine.begin_again(now_ms // collectors.metrics.step_ms * collectors.metrics.step_ms)
    rules_anew()

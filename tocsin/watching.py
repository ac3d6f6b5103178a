"""The watching half: rules from the configuration directory, and what becomes of them on reload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from anomaly.engine.engine import Engine
from anomaly.evidence.near_changes import ChangeFinder
from anomaly.findings import FindingSink
from anomaly.rules.kinds import RULE_KINDS, Definitions, make_rules
from anomaly.rules.rule import Rule
from collectors.clock import Clock
from runbooks.desk.desk import IncidentDesk
from tocsin.collecting import Collectors
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A rule with the definition that it was made of, without the place of that in its file."""

    kind: str
    definition: Any
    rule: Rule[Any]


def rules_of(
    definitions: Definitions, step_ms: int, before: Iterable[Made] = ()
) -> tuple[Made, ...]:
    """Return the rules of ``definitions``; those of ``before`` that did not change are kept.

    Args:
        definitions: By the name of their kind.
        step_ms: Length of a step.
        before: The rules so far, with their state.
    """
    known = {(made.kind, made.definition.name): made for made in before}
    rules: list[Made] = []
    for kind in RULE_KINDS:
        for definition in definitions.get(kind.name, ()):
            placeless = replace(definition, source="")
            made = known.get((kind.name, definition.name))
            if made is None or made.definition != placeless:
                (rule,) = make_rules({kind.name: [definition]}, step_ms, [kind])
                made = Made(kind=kind.name, definition=placeless, rule=rule)
            rules.append(made)
    return tuple(rules)


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
        collectors.metrics,
        [made.rule for made in rules],
        [sink],
        clock,
        settings.step.ms,
        traces=collectors.spans,
        changes=changes,
        arrivals=collectors.metrics,
        max_wait_ms=settings.evaluation_delay.ms,
        max_late_ms=settings.late_data.ms,
    )


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

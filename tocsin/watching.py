"""The watching half: rules from the configuration directory."""

from __future__ import annotations

from anomaly.engine.engine import Engine
from anomaly.evidence.near_changes import ChangeFinder
from anomaly.findings import FindingSink
from anomaly.rules.kinds import make_rules
from collectors.clock import Clock
from tocsin.collecting import Collectors
from tocsin.configuration import Configuration
from tocsin.settings import Settings


def open_engine(
    settings: Settings,
    configuration: Configuration,
    collectors: Collectors,
    clock: Clock,
    sink: FindingSink,
    changes: ChangeFinder,
) -> Engine:
    """Return the engine over everything that the configuration asks to watch."""
    return Engine(
        collectors.metrics,
        make_rules(configuration.definitions, settings.step.ms),
        [sink],
        clock,
        settings.step.ms,
        traces=collectors.spans,
        changes=changes,
        arrivals=collectors.metrics,
        max_wait_ms=settings.evaluation_delay.ms,
        max_late_ms=settings.late_data.ms,
    )

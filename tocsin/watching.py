"""The watching half: rules from the configuration directory."""

from __future__ import annotations

from anomaly.engine.engine import Engine
from anomaly.evidence.near_changes import ChangeFinder
from anomaly.findings import FindingSink
from anomaly.rules.kinds import load_rules
from collectors.clock import Clock
from tocsin.collecting import Collectors
from tocsin.settings import Settings


def open_engine(
    settings: Settings,
    collectors: Collectors,
    clock: Clock,
    sink: FindingSink,
    changes: ChangeFinder,
) -> Engine:
    """Return the engine over everything that the configuration directory asks to watch.

    Raises:
        ConfigError: A file is wrong; names the file, the line and the field.
    """
    directory = settings.config_dir
    return Engine(
        collectors.metrics,
        load_rules(directory, settings.step.ms) if directory else (),
        [sink],
        clock,
        settings.step.ms,
        traces=collectors.spans,
        changes=changes,
    )

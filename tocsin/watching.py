"""The watching half: objectives and detectors from the configuration directory."""

from __future__ import annotations

from anomaly.detectors.warm import warm
from anomaly.engine.engine import Engine
from anomaly.evidence.near_changes import ChangeFinder
from anomaly.findings import FindingSink
from anomaly.rules.loading import load_detectors, load_objectives
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
    detectors = load_detectors(directory / "detectors") if directory else ()
    if detectors:
        warm()  # so that loading the kernels is part of the start and not of the first step
    return Engine(
        collectors.metrics,
        collectors.spans,
        load_objectives(directory / "slos") if directory else (),
        detectors,
        [sink],
        clock,
        settings.step.ms,
        changes,
    )

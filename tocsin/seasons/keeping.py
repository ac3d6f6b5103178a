"""Which seasons were found, in a file: a start begins with them, days of history or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

import orjson
import structlog

from anomaly.detectors.seasonal import SeasonalParameters
from anomaly.rules.detector_definition import DetectorDefinition
from collectors.host.machine import Machine

FILE = "seasons.json"
FORGIVEN = 3
"""A season that was found is given up when it was missed so often in a row."""

_WHAT = "seasons of detectors"
_LOST = "which seasons were found; they are looked for again in an hour"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSeason:
    """What is known of one detector's season.

    Attributes:
        expr: What it watches, and ...
        zone: ... by whose clock: another one has another season.
        hours: Length; 0 for none.
        strength: How strong it was when it was looked for last.
        days: Days of history then.
        lines: How many of its lines were looked at.
        words: What was found, for people.
        looked_ms: When.
        missed: How often in a row it was not found again.
    """

    expr: str
    zone: str
    hours: int
    strength: float
    days: float
    lines: int
    words: str
    looked_ms: int
    missed: int = 0


def kept_seasons(data_dir: Path) -> Mapping[str, KeptSeason]:
    """Return what was found, by the detector's name; a file that can't be read is told of."""
    path = data_dir / FILE
    try:
        rows = orjson.loads(path.read_bytes())
        return {name: KeptSeason(**row) for name, row in rows.items()}
    except FileNotFoundError:
        return MappingProxyType({})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        _log.warning("seasons are looked for anew", file=str(path), reason=str(error))
        return MappingProxyType({})


def keep_seasons(data_dir: Path, found: Mapping[str, KeptSeason], machine: Machine) -> bool:
    """Write what was found; return whether the disk took it, else it is told of."""
    path = data_dir / FILE
    data = orjson.dumps({name: asdict(one) for name, one in sorted(found.items())})
    try:
        machine.disk.replace(path, data)
    except OSError as error:
        reason = error.strerror or str(error)
        machine.faults.failed(_WHAT, place=str(path), reason=reason, lost=_LOST)
        return False
    machine.faults.over(_WHAT)
    return True


def wants_season(definition: DetectorDefinition) -> bool:
    """Return whether a detector leaves open which season its lines have."""
    parameters = definition.parameters
    return isinstance(parameters, SeasonalParameters) and not parameters.period_steps


def zone_of(definition: DetectorDefinition) -> str:
    """Return whose clock a detector's season follows."""
    parameters = definition.parameters
    return parameters.zone if isinstance(parameters, SeasonalParameters) else "UTC"


def with_season(
    definition: DetectorDefinition, seasons: Mapping[str, KeptSeason], step_ms: int
) -> DetectorDefinition:
    """Return a detector with the season that was found, where it leaves that open."""
    found = seasons.get(definition.name)
    if found is None or not found.hours or not wants_season(definition):
        return definition
    if (found.expr, found.zone) != (definition.expr, zone_of(definition)):
        return definition
    steps = found.hours * 3_600_000 // step_ms
    if not isinstance(definition.parameters, SeasonalParameters) or steps < 2:
        return definition
    return replace(definition, parameters=replace(definition.parameters, period_steps=steps))

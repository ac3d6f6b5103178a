"""What was played one after another, kept on the disk: an interrupted day goes on where it stopped.

A turn holds what the platform recorded and what tocsin said as both gave it, so that it can be
scored again, also by later versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from collectors.errors import ConfigError, StorageError
from tocsin.gameday.sightings import Sighting, sighting
from tocsin.gameday.truth import TruthEvent, events_in

HEALTHY = "healthy-hour"
"""The name of a turn in which nothing is done at all, an hour of the platform's day long."""

MAX_TURNS = 500
_DIRECTORY = "turns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing that was played.

    Attributes:
        name: Of the fault, the operation or the scenario, or ``healthy-hour``.
        session: Which run of the programme it belongs to: each has a tocsin of its own.
        began_ms: When it began, epoch milliseconds.
        ended_ms: When the next one may begin.
        load: Of the machine over one minute, when it ended.
        truth: Lines of the platform's record.
        incidents: What ``GET /api/v2/incidents/{id}`` told of each incident of that time.
    """

    name: str
    session: str
    began_ms: int
    ended_ms: int
    load: float
    truth: tuple[Mapping[str, Any], ...]
    incidents: tuple[Mapping[str, Any], ...]


class Turns:
    """The turns of one directory.

    Args:
        directory: Of the run.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / _DIRECTORY

    def keep(self, turn: Turn) -> None:
        """Write a turn.

        Raises:
            StorageError: It can't be written.
        """
        path = self._directory / f"{turn.began_ms}-{turn.name}.json"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(orjson.dumps(asdict(turn)))
            part.replace(path)
        except OSError as error:
            raise StorageError(f"{path}: can't be written ({error.strerror})") from error

    def read(self) -> list[Turn]:
        """Return the turns in the order in which they were played; none when there are none.

        Raises:
            ConfigError: One can't be read, or there are too many.
        """
        paths = sorted(self._directory.glob("*.json"))
        if len(paths) > MAX_TURNS:
            raise ConfigError(f"{self._directory}: {len(paths)} turns; at most {MAX_TURNS}")
        return [_read(path) for path in paths]


def sessions_of(directory: Path) -> int:
    """Return how many runs of a programme a directory has seen."""
    return sum(1 for path in directory.glob("session-*") if path.is_dir())


def events_of(turns: Iterable[Turn]) -> list[TruthEvent]:
    """Return what was done to the platform in all turns, in the order of its beginning."""
    return events_in([line for turn in turns for line in turn.truth], "the turns")


def sightings_of(turns: Iterable[Turn]) -> list[Sighting]:
    """Return every incident once, as it was last told, in the order in which they began."""
    newest: dict[tuple[str, str], tuple[int, Mapping[str, Any]]] = {}
    for turn in turns:
        for incident in turn.incidents:
            key = turn.session, str(incident["id"])
            began_ms = newest[key][0] if key in newest else turn.began_ms
            newest[key] = began_ms, incident
    found = [sighting(incident).since(began_ms) for began_ms, incident in newest.values()]
    return sorted((one for one in found if one), key=lambda one: one.start_ms)


def healthy(turns: Sequence[Turn]) -> list[tuple[int, int]]:
    """Return when nothing at all was done, as pairs of epoch milliseconds."""
    return [(one.began_ms, one.ended_ms) for one in turns if one.name == HEALTHY]


def _read(path: Path) -> Turn:
    try:
        raw = orjson.loads(path.read_bytes())
        return Turn(
            **{**raw, "truth": tuple(raw["truth"]), "incidents": tuple(raw["incidents"])},
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: no turn of a game day ({error}); move it away") from error

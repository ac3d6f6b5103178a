"""Keeps what was played as soon as it is over, with what the platform and tocsin say of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tocsin.client.client import ApiClient
from tocsin.client.errors import UnreachableError
from tocsin.gameday.conditions import one_minute_load
from tocsin.gameday.sightings import sighting
from tocsin.gameday.truth import raw_truth
from tocsin.gameday.turns import Turn, Turns

_Answer = TypeVar("_Answer")
_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0)


class TurnTaker:
    """Keeps each turn when it is over, so that nothing of a long day is lost when it breaks off.

    Args:
        kept: Where.
        api: The tocsin that is scored.
        truth: Ground-truth file of the platform.
        session: Names this run.
    """

    def __init__(self, kept: Turns, api: ApiClient, truth: Path, session: str) -> None:
        self._kept = kept
        self._api = api
        self._truth = truth
        self._session = session
        self._began_ms = now_ms()
        self.turns: list[Turn] = []

    def __call__(self, name: str) -> None:
        """Keep the turn that is over; the next one begins."""
        turn = Turn(
            name=name,
            session=self._session,
            began_ms=self._began_ms,
            ended_ms=now_ms(),
            load=one_minute_load(),
            truth=tuple(raw_truth(self._truth, self._began_ms)),
            incidents=tuple(incidents_since(self._api, self._began_ms)),
        )
        self._kept.keep(turn)
        self.turns.append(turn)
        self._began_ms = turn.ended_ms


def incidents_since(api: ApiClient, start_ms: int) -> list[Mapping[str, Any]]:
    """Return every incident that said anything from ``start_ms`` on, as the API tells it."""
    found = [
        asked(lambda one=one: api.incident(one["id"]))  # type: ignore[misc]  # bound at once
        for one in asked(lambda: api.incidents(state="all"))
    ]
    return [one for one in found if sighting(one).since(start_ms) is not None]


def asked(question: Callable[[], _Answer], wait: Callable[[float], None] = time.sleep) -> _Answer:
    """Return an answer of tocsin's, asked again for a while: a loaded machine is no reason to stop.

    Raises:
        ClientError: It did not answer in any of the tries.
    """
    for pause_s in _PAUSES_S:
        try:
            return question()
        except UnreachableError:
            wait(pause_s)
    return question()


def now_ms() -> int:
    """Return the present, epoch milliseconds."""
    return time.time_ns() // 1_000_000

"""One game day from beginning to end: play, look at what tocsin said, score it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from tocsin.client.client import ApiClient
from tocsin.client.wording import duration
from tocsin.gameday.attribution import DEFAULT_GRACE_MS
from tocsin.gameday.conditions import Conditions, load_of, one_minute_load, versions
from tocsin.gameday.goals import goals
from tocsin.gameday.platform import Catalogue
from tocsin.gameday.play import GameDay
from tocsin.gameday.scorecard import Scorecard, as_json, score
from tocsin.gameday.sightings import Sighting
from tocsin.gameday.taking import TurnTaker, asked, now_ms
from tocsin.gameday.turns import HEALTHY, Turns, events_of, sightings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """What is played.

    Attributes:
        names: Scenarios, faults and operations, in this order.
        seed: Seed of a schedule to play, if ``names`` is empty.
        hours: Length of the schedule, in hours of the platform's day.
        within_s: Nothing begins after so long, seconds.
        whole: Whether names and turns of earlier runs make one day, see :mod:`turns`.
    """

    names: tuple[str, ...] = ()
    seed: int = 1
    hours: float = 24.0
    within_s: float = inf
    whole: bool = False

    @property
    def title(self) -> str:
        """Words for it."""
        if self.whole:
            return f"all, seed {self.seed}"
        return ", ".join(self.names) or f"seed {self.seed}, {self.hours:g} hours"


def everything(listing: Mapping[str, Mapping[str, str]], seed: int) -> tuple[str, ...]:
    """Return a healthy hour, every fault and every operation, shuffled by ``seed``.

    A day that is cut short has then played a fair part of them.
    """
    names = sorted([*listing["faults"], *listing["operations"]])
    Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
    return (HEALTHY, *names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a game day came to.

    Attributes:
        title: Words for it.
        card: How tocsin did.
        sightings: What it said.
        conditions: Under which it was played.
        schedule: Of the platform, as it went; None when things were named.
        left: What was not played for want of time.
        loads: Of the machine over a minute, after each turn.
    """

    title: str
    card: Scorecard
    sightings: tuple[Sighting, ...]
    conditions: Conditions
    schedule: Mapping[str, Any] | None = None
    left: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()

    def json(self) -> dict[str, Any]:
        """Return it as plain values."""
        incidents = [
            {
                "id": one.incident_id,
                "title": one.title,
                "severity": one.severity,
                "first_signal_ms": one.start_ms,
                "pages_ms": list(one.pages_ms),
                "cleared_ms": list(one.cleared_ms),
            }
            for one in self.sightings
        ]
        return {
            "title": self.title,
            **as_json(self.card),
            "incidents": incidents,
            "schedule": self.schedule,
            "left": list(self.left),
            "loads": list(self.loads),
            "goals": [asdict(one) for one in goals(self.card, self.conditions.step_s)],
            "conditions": asdict(self.conditions),
        }

    def falls_below(self, least: float) -> bool:
        """Return whether recall or precision is below ``least``; what is not known is not."""
        totals = self.card.totals
        return any(
            ratio is not None and ratio < least for ratio in (totals.recall, totals.precision)
        )


def run(
    day: GameDay,
    programme: Programme,
    *,
    api: ApiClient,
    catalogue: Catalogue,
    status: Mapping[str, Any],
    truth: Path,
    answered: bool,
    kept: Turns,
    session: str = "1",
    grace_ms: int = DEFAULT_GRACE_MS,
) -> Outcome:
    """Play and score.

    Args:
        day: Who plays and who answers.
        programme: What is played; with ``whole`` what ``kept`` has of it is not played again.
        api: The tocsin that is scored.
        catalogue: What the platform can play.
        status: What the platform says of itself.
        truth: Its ground-truth file.
        answered: Whether the game day answers the pages itself.
        kept: Where each turn is kept as soon as it is over.
        session: Names this run among those of the same directory.
        grace_ms: For how long after a fault's end a signal is about it.

    Raises:
        GameDayError: It could not be played to its end.
    """
    started_ms, load_before = now_ms(), one_minute_load()
    earlier = kept.read() if programme.whole else []
    played = {turn.name for turn in earlier}
    names = [name for name in programme.names if name not in played]
    day.settle()
    schedule = None
    note = TurnTaker(kept, api, truth, session)
    if programme.names:
        day.play(names, catalogue.scenarios, until_s=day.now_s() + programme.within_s, after=note)
    else:
        schedule = day.play_schedule(programme.seed, programme.hours)
        note(programme.title)
    turns = [*earlier, *note.turns]
    events, sightings = events_of(turns), sightings_of(turns)
    return Outcome(
        title=programme.title,
        card=score(events, sightings, grace_ms),
        sightings=tuple(sightings),
        conditions=_conditions(
            asked(api.health),
            status,
            started_ms=min([started_ms, *(turn.began_ms for turn in turns)]),
            load_before=load_before,
            grace_ms=grace_ms,
            answered=answered,
        ),
        schedule=schedule,
        left=tuple(sorted({*programme.names} - {turn.name for turn in turns})),
        loads=tuple(turn.load for turn in turns),
    )


def _conditions(
    health: Mapping[str, Any],
    status: Mapping[str, Any],
    *,
    started_ms: int,
    load_before: float,
    grace_ms: int,
    answered: bool,
) -> Conditions:
    return Conditions(
        started_ms=started_ms,
        ended_ms=now_ms(),
        step_s=health["step_ms"] / 1_000,
        series=health["series"],
        versions=versions(health),
        load=load_of(status),
        cpus=os.cpu_count() or 1,
        load_average=(load_before, one_minute_load()),
        grace_s=grace_ms / 1_000,
        answered=answered,
    )


def summary(card: Scorecard) -> Sequence[str]:
    """Return the scorecard in a few lines for a terminal."""
    lines = []
    for one in card.faults:
        if one.detected:
            paged = "not paged" if one.page_s is None else f"paged after {duration(one.page_s)}"
            rank = f", suspect {one.rank}" if one.rank else ", culprit not suspected"
            lines.append(
                f"{one.fault.name}: detected after {duration(one.detect_s)}, {paged}{rank}"
            )
        else:
            words = "missed" if one.fault.hurts else "not seen; viewers were not hurt"
            lines.append(f"{one.fault.name}: {words}")
    lines += [f"false page: {page.title} (during {page.during})" for page in card.false_pages]
    totals = card.totals
    lines.append(
        f"{totals.detected} of {totals.faults} faults detected, {totals.missed} missed; "
        f"{totals.pages} pages, {totals.false_pages} false"
    )
    return lines

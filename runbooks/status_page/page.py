"""The status page: looks at components, takes what people publish, writes the site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import structlog

from collectors.clock import Clock
from collectors.errors import InputError, NotFoundError, TocsinError
from collectors.model import Frame
from runbooks.incidents.commands import Record
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.status_page.component import (
    Component,
    Source,
    Standing,
    State,
    by_objectives,
    by_value,
    is_worse,
)
from runbooks.status_page.document import StatusPageFile
from runbooks.status_page.drafting import Draft, drafts
from runbooks.status_page.history import DAYS_SHOWN, History, day_of, days_until, history
from runbooks.status_page.notices import (
    Notice,
    NoticeKind,
    Progress,
    Update,
    checked_progress,
    checked_window,
    checked_words,
)
from runbooks.status_page.store import Override, StatusStore

LOOK_EVERY_MS = 15_000
MAX_LOOK_MS = 90_000
"""After a longer time nobody looked: it is not measured."""

FRESH_MS = 300_000
"""An older value of a query says nothing of now."""

MAX_OVERRIDE_MS = 7 * 86_400_000
DEFAULT_OVERRIDE_MS = 4 * 3_600_000

_log = structlog.get_logger(__name__)
Slos = Callable[[], Sequence[Mapping[str, Any]]]
Incidents = Callable[[], Sequence[Incident]]
Execute = Callable[[str, Record], object]


class Reads(Protocol):
    """Evaluates stack-language expressions."""

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        """Return the lines of ``expression`` from ``start_ms`` to ``end_ms``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A component with how it is and how it was."""

    component: Component
    standing: Standing
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that users see.

    Attributes:
        title: Heading.
        url: Where it is published; may be empty.
        support_url: Where users find help; may be empty.
        subscribe_url: Where users reach ``/status`` of the API; may be empty.
        now_ms: As of when, epoch milliseconds.
        components: In the order of the page.
        notices: All, the newest first.
    """

    title: str
    url: str
    support_url: str
    subscribe_url: str
    now_ms: int
    components: tuple[Shown, ...]
    notices: tuple[Notice, ...]


class StatusPage:
    """Composes the room.

    Args:
        store: The database.
        clock: The present.
        slos: Rows of all objectives, as ``/api/v2/slos`` tells them.
        metrics: Evaluates components' queries.
        incidents: All incidents, the newest first.
        execute: Puts something on an incident's record.

    Attributes:
        file: What ``status.yaml`` says; None: there is no page.
    """

    def __init__(
        self,
        store: StatusStore,
        clock: Clock,
        *,
        slos: Slos,
        metrics: Reads,
        incidents: Incidents,
        execute: Execute,
    ) -> None:
        self.file: StatusPageFile | None = None
        self._store = store
        self._clock = clock
        self._slos = slos
        self._metrics = metrics
        self._incidents = incidents
        self._execute = execute
        self._looked_ms = 0

    @property
    def set_up(self) -> StatusPageFile:
        """What ``status.yaml`` says.

        Raises:
            NotFoundError: There is none.
        """
        if self.file is None:
            raise NotFoundError(
                "there is no status page; write status.yaml into the configuration directory"
            )
        return self.file

    def now_ms(self) -> int:
        """Return the present, epoch milliseconds."""
        return self._clock.now_ms()

    def notice(self, number: int) -> Notice:
        """Return a notice.

        Raises:
            NotFoundError: There is no such notice.
        """
        return self._store.notice(number)

    def notices(self) -> list[Notice]:
        """Return all notices, the newest first."""
        return self._store.notices()

    def look(self, now_ms: int) -> bool:
        """Count how components are, when it is time; whether anything was looked at."""
        if self.file is None or 0 <= now_ms - self._looked_ms < LOOK_EVERY_MS:
            return False
        self._looked_ms = now_ms
        states = {name: one.state for name, one in self.standings(now_ms).items()}
        day = day_of(now_ms)
        self._store.observe(states, day, now_ms, MAX_LOOK_MS)
        self._store.forget_days(days_until(now_ms, DAYS_SHOWN + 1)[0])
        return True

    def view(self) -> View:
        """Return everything that users see.

        Raises:
            NotFoundError: There is no status page.
        """
        file, now_ms = self.set_up, self._clock.now_ms()
        standings = self.standings(now_ms)
        days = self._store.days(days_until(now_ms)[0])
        shown = tuple(
            Shown(
                component=one,
                standing=standings[one.name],
                history=history(days.get(one.name, {}), now_ms),
            )
            for one in file.components
        )
        return View(
            title=file.title,
            url=file.url,
            support_url=file.support_url,
            subscribe_url=file.subscribe_url,
            now_ms=now_ms,
            components=shown,
            notices=tuple(self._store.notices()),
        )

    def drafts(self) -> list[Draft]:
        """Return what could be published now."""
        file = self.set_up
        notices = self._store.notices()
        standings = self.standings(self._clock.now_ms())
        return drafts(self._incidents(), notices, file.components, standings)

    def standings(self, now_ms: int) -> dict[str, Standing]:
        """Return how each component is, by name.

        What a person says counts first, then maintenance, then what is measured; a published
        incident can make it worse than that, never better.
        """
        file = self.set_up
        rows = self._slos()
        said = self._store.overrides(now_ms)
        current = [one for one in self._store.notices() if not one.is_over(now_ms)]
        return {
            one.name: _settled(one, self._measured(one, rows, now_ms), said, current, now_ms)
            for one in file.components
        }

    def say(
        self, component: str, state: State | None, *, for_ms: int, actor: str, text: str = ""
    ) -> None:
        """Say how a component is, for some time; None lets its source speak again.

        Raises:
            NotFoundError: There is no such component.
            InputError: The time is too long.
        """
        self._component(component)
        if state is None:
            self._store.override(component, None)
            return
        if not 0 < for_ms <= MAX_OVERRIDE_MS:
            raise InputError("a person's word holds for at most 7 days; say it again then")
        until_ms = self._clock.now_ms() + for_ms
        said = Override(state=state, until_ms=until_ms, author=actor, text=text)
        self._store.override(component, said)

    def publish(
        self,
        *,
        title: str,
        text: str,
        progress: Progress,
        components: Mapping[str, State],
        actor: str,
        incident_id: str = "",
    ) -> Notice:
        """Publish an incident.

        Raises:
            NotFoundError: There is no such component or incident.
            InputError: Words are missing, or the progress is none of an incident.
        """
        title, text = checked_words(title, text)
        for name in components:
            self._component(name)
        if incident_id:
            self._known(incident_id)
        now_ms = self._clock.now_ms()
        notice = Notice(
            id=0,
            kind=NoticeKind.INCIDENT,
            title=title,
            components=components,
            incident_id=incident_id,
            starts_ms=now_ms,
            ends_ms=None,
            ended_ms=None,
            updates=(),
        )
        checked_progress(notice, progress.value)
        return self._kept(notice, progress, text, actor)

    def schedule(
        self,
        *,
        title: str,
        text: str,
        components: Sequence[str],
        starts_ms: int,
        ends_ms: int,
        actor: str,
    ) -> Notice:
        """Announce a maintenance.

        Raises:
            NotFoundError: There is no such component.
            InputError: Words are missing, or the times make no sense.
        """
        title, text = checked_words(title, text)
        for name in components:
            self._component(name)
        checked_window(starts_ms, ends_ms, self._clock.now_ms())
        notice = Notice(
            id=0,
            kind=NoticeKind.MAINTENANCE,
            title=title,
            components=dict.fromkeys(components, State.MAINTENANCE),
            incident_id="",
            starts_ms=starts_ms,
            ends_ms=ends_ms,
            ended_ms=None,
            updates=(),
        )
        return self._kept(notice, Progress.SCHEDULED, text, actor)

    def update(
        self,
        number: int,
        *,
        text: str,
        progress: str,
        actor: str,
        components: Mapping[str, State] | None = None,
    ) -> Notice:
        """Say more of a notice, or that it is over.

        Raises:
            NotFoundError: There is no such notice or component.
            ConflictError: It is over.
            InputError: The text is missing, or the progress is none that it can have.
        """
        notice = self._store.notice(number)
        _, text = checked_words(notice.title, text)
        for name in components or ():
            self._component(name)
        to = checked_progress(notice, progress)
        now_ms = self._clock.now_ms()
        over = to in {Progress.RESOLVED, Progress.COMPLETED}
        said = Update(id=0, time_ms=now_ms, progress=to, text=text, author=actor)
        self._store.say(notice, said, ended_ms=now_ms if over else None, components=components)
        self._record(notice, to, text, actor)
        return self._store.notice(number)

    def _kept(self, notice: Notice, progress: Progress, text: str, actor: str) -> Notice:
        now_ms = self._clock.now_ms()
        ended_ms = now_ms if progress is Progress.RESOLVED else None
        said = Update(id=0, time_ms=now_ms, progress=progress, text=text, author=actor)
        whole = Notice(
            id=0,
            kind=notice.kind,
            title=notice.title,
            components=notice.components,
            incident_id=notice.incident_id,
            starts_ms=notice.starts_ms,
            ends_ms=notice.ends_ms,
            ended_ms=ended_ms,
            updates=(said,),
        )
        number = self._store.publish(whole)
        kept = self._store.notice(number)
        self._record(kept, progress, text, actor)
        return kept

    def _record(self, notice: Notice, progress: Progress, text: str, actor: str) -> None:
        """Put what was published on the record of the incident behind it."""
        if not notice.incident_id:
            return
        told = f"status page, {progress.words.lower()}: {text}"
        data = {"notice": notice.id, "progress": progress.value}
        command = Record(kind=EventKind.STATUS_PUBLISHED, text=told, actor=actor, data=data)
        try:
            self._execute(notice.incident_id, command)
        except TocsinError as error:
            # It is published all the same: that must not look as if it were not.
            _log.warning("not put on record", incident=notice.incident_id, reason=error.message)

    def _component(self, name: str) -> Component:
        file = self.set_up
        for one in file.components:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in file.components)
        raise NotFoundError(f"the status page has no component {name[:80]!r}; it has {known}")

    def _known(self, incident_id: str) -> None:
        if all(one.id != incident_id for one in self._incidents()):
            raise NotFoundError(f"there is no incident {incident_id[:50]!r}")

    def _measured(self, one: Component, rows: Sequence[Mapping[str, Any]], now_ms: int) -> Standing:
        if one.is_manual:
            reason = "nobody has said how it is"
            return Standing(state=State.UNKNOWN, source=Source.PERSON, reason=reason)
        if one.objectives:
            return by_objectives(one, rows)
        return by_value(one, self._newest(one.query, now_ms))

    def _newest(self, expression: str, now_ms: int) -> float | None:
        """Return the newest value of an expression's lines added up; None: there is none."""
        try:
            frame = self._metrics.read(expression, now_ms - FRESH_MS, now_ms)
        except TocsinError as error:
            _log.warning("a component's query fails", query=expression, reason=error.message)
            return None
        measured = ~np.isnan(frame.values).all(axis=0) if len(frame.values) else np.zeros(0, bool)
        if not measured.any():
            return None
        newest = int(np.flatnonzero(measured)[-1])
        return float(np.nansum(frame.values[:, newest]))


def _settled(
    component: Component,
    measured: Standing,
    said: Mapping[str, Override],
    current: Sequence[Notice],
    now_ms: int,
) -> Standing:
    """Return how a component is, of all who say something about it."""
    if component.name in said:
        one = said[component.name]
        return Standing(
            state=one.state, source=Source.PERSON, reason=one.text or "said by a person"
        )
    found = measured
    for notice in current:
        state = notice.components.get(component.name)
        if state is None:
            continue
        if notice.kind is NoticeKind.MAINTENANCE:
            if notice.progress(now_ms) is Progress.IN_PROGRESS:
                return Standing(state=state, source=Source.SCHEDULE, reason=notice.title)
        elif is_worse(state, found.state):
            found = Standing(state=state, source=Source.PUBLISHED, reason=notice.title)
    return found

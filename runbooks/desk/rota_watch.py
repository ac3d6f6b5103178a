"""Watches the schedules: tells of hand-overs where people want to hear of them, and of gaps."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

from collectors.host.faults import Faults
from runbooks.desk.notices import Notices
from runbooks.notifiers.card import Called
from runbooks.oncall.duty import Duty
from runbooks.oncall.handing_over import coming_gaps, last_hand_over
from runbooks.oncall.local_time import local
from runbooks.oncall.roster import Roster
from runbooks.oncall.schedule import Schedule
from runbooks.paging.routing import Target
from tocsin.client.wording import moment

COVER = "on-call cover"
LOOK_EVERY_MS = 10_000
GAPS_EVERY_MS = 600_000
_MAX_NAMED = 5


class RotaWatch:
    """Looks at every schedule in turns.

    Args:
        roster: Says who is on call.
        notices: Posts what is news.
        faults: Hears of gaps; that raises a finding about ourselves.
    """

    def __init__(self, roster: Roster, notices: Notices, faults: Faults) -> None:
        self._roster = roster
        self._notices = notices
        self._faults = faults
        self._looked_ms: int | None = None
        self._gaps_ms: int | None = None
        self._seen: Duty | None = None

    def tick(self, now_ms: int) -> None:
        """Look if it is time."""
        duty = self._roster.duty
        if _is_time(self._looked_ms, now_ms, LOOK_EVERY_MS):
            self._looked_ms = now_ms
            for schedule in duty.schedules.values():
                if schedule.notices:
                    self._hand_over(schedule, duty, now_ms)
        if duty is not self._seen or _is_time(self._gaps_ms, now_ms, GAPS_EVERY_MS):
            self._gaps_ms, self._seen = now_ms, duty
            self._tell_gaps(duty, now_ms)

    def _hand_over(self, schedule: Schedule, duty: Duty, now_ms: int) -> None:
        found = last_hand_over(schedule, now_ms)
        if found is None:
            return
        targets = [Target(notifier=name, channel=where) for name, where in schedule.notices]
        after = duty.people.get(found.after)
        now = duty.at(schedule.name, now_ms)
        zone = ZoneInfo(after.time_zone) if after and after.time_zone else schedule.zone
        until = f", until {_local(now.until_ms, zone)}" if now and now.until_ms else ""
        name = after.name if after else found.after or "NOBODY"
        before = duty.people[found.before].name if found.before in duty.people else "nobody"
        headline = f"On call for {schedule.title}: {name}"
        words = f"{name} takes over {schedule.title} from {before}{until}"
        called = Called(words=words, slack=after.slack if after else "")
        self._notices.post(_key(schedule.name, found.at_ms), headline, called, targets, now_ms)

    def _tell_gaps(self, duty: Duty, now_ms: int) -> None:
        gaps = [
            f"{schedule.title} from {moment(start_ms)} to {moment(end_ms)}"
            for schedule in duty.schedules.values()
            if not schedule.gaps_meant
            for start_ms, end_ms in coming_gaps(schedule, now_ms)
        ]
        if not gaps:
            self._faults.over(COVER)
            return
        more = f" and {len(gaps) - _MAX_NAMED} more" if len(gaps) > _MAX_NAMED else ""
        self._faults.failed(
            COVER,
            place="oncall/",
            reason=f"nobody is on call in the week to come: {'; '.join(gaps[:_MAX_NAMED])}{more}",
            lost="pages of that time call nobody by these schedules",
            urgent=False,
        )


def _local(at_ms: int, zone: ZoneInfo) -> str:
    return f"{local(at_ms, zone):%a %Y-%m-%d %H:%M} ({zone.key})"


def _is_time(looked_ms: int | None, now_ms: int, every_ms: int) -> bool:
    return looked_ms is None or not 0 <= now_ms - looked_ms < every_ms


def _key(schedule: str, at_ms: int) -> str:
    """Return a key of 25 characters at most: names of schedules may be longer."""
    return f"{hashlib.sha256(schedule.encode()).hexdigest()[:10]}-{at_ms}"

"""Whom the message of an incident calls. Pure."""

from __future__ import annotations

from runbooks.notifiers.card import Called
from runbooks.oncall.duty import Duty
from tocsin.client.wording import moment


def called_for(duty: Duty, schedule: str, now_ms: int) -> Called | None:
    """Return who is on call by the schedule ``schedule``; None if no schedule is named.

    That nobody is on call, or that the schedule is gone, is said: somebody has to take it.
    """
    if not schedule:
        return None
    found = duty.at(schedule, now_ms)
    if found is None:
        return Called(words=f"On call: not known, as there is no schedule {schedule!r}")
    if found.person is None:
        return Called(words=f"On call: NOBODY now, by the schedule {found.schedule.title}")
    until = moment(found.until_ms)
    words = f"On call: {found.person.name} ({found.schedule.title}, until {until})"
    return Called(words=words, slack=found.person.slack)

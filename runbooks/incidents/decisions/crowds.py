"""Findings that are only counted. Pure."""

from __future__ import annotations

from runbooks.incidents import commands as c
from runbooks.incidents.crowd import firing_in, is_loud
from runbooks.incidents.decisions.course import course, holding
from runbooks.incidents.decisions.draft import Draft
from runbooks.incidents.events import Data, EventKind
from runbooks.incidents.folding import crowd_of
from runbooks.incidents.incident import Incident


def count_crowd(incident: Incident, command: c.CountCrowd) -> list[Draft]:
    """Take note of how many findings are only counted, and ring when they are far more."""
    before = incident.crowds.get(command.rule)
    if before is not None and (before.firing, before.seen) == (command.firing, command.seen):
        return []
    data: Data = {
        "rule": command.rule,
        "title": command.title,
        "firing": command.firing,
        "seen": command.seen,
        "latest_ms": command.latest_ms,
        "loud": is_loud(before, command.firing),
    }
    counted = Draft(kind=EventKind.CROWD_COUNTED, text=_crowd_text(command), data=data)
    crowds = {**incident.crowds, command.rule: crowd_of(before, data)}
    findings = holding(incident.findings.values())
    back = (f"back: {_crowd_text(command)}", command.latest_ms) if command.firing else None
    return [counted, *course(incident, findings, firing_in(crowds), back)]


def _crowd_text(command: c.CountCrowd) -> str:
    """Return what a person reads of a crowd."""
    if not command.firing:
        return f"none of the {command.seen:,} more like “{command.title}” fires any longer"
    seen = f", of {command.seen:,} in all" if command.seen > command.firing else ""
    return f"and {command.firing:,} more like “{command.title}” fire{seen}"

"""Roles instead of names: a post-mortem tells what happened, not who is to blame. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from runbooks.incidents.events import MACHINE, Event
from runbooks.incidents.incident import Incident


def role_names(incident: Incident, events: Sequence[Event]) -> Mapping[str, str]:
    """Return what to call each actor: their role, or ``responder 1`` and so on."""
    names = {MACHINE: MACHINE}
    for role, person in incident.roles.items():
        names.setdefault(person, f"the incident {role}")
    people = [event.actor for event in events]
    people += [str(event.data["person"]) for event in events if "person" in event.data]
    for person in people:
        if person not in names:
            number = sum(name.startswith("responder") for name in names.values()) + 1
            names[person] = f"responder {number}"
    return names


def without_names(text: str, names: Mapping[str, str]) -> str:
    """Return ``text`` with every known actor replaced by what to call them."""
    people = sorted((p for p in names if p and p != MACHINE), key=len, reverse=True)
    if not people:
        return text
    pattern = r"(?<!\w)(" + "|".join(re.escape(person) for person in people) + r")(?!\w)"
    return re.sub(pattern, lambda found: names[found[1]], text)

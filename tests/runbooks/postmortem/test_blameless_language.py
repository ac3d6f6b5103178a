"""The language lint: people's deeds are described, machines may fail."""

from __future__ import annotations

import pytest

from runbooks.postmortem.language import warnings

WARNED = [
    "The engineer should have checked the dashboard.",
    "We could have noticed earlier.",
    "The on-call failed to escalate.",
    "Responder 1 forgot the flag.",
    "@ann didn't read the alert.",
    "If only the cache had been warm.",
    "This was human error.",
    "A careless deploy.",
    "The root cause was a typo.",
]
FINE = [
    "The service failed to start.",
    "The generator failed to deliver power.",
    "The retry should have been idempotent.",
    "The on-call escalated after four minutes, once the second alert arrived.",
    "Contributing factors: a cold cache, and a limit that nobody knew of.",
    "We should have checked. <!-- language: a quotation -->",
    "",
]


@pytest.mark.parametrize("line", WARNED)
def test_judgements_are_warned_of(line: str) -> None:
    """Line number, phrase and advice."""
    [warned] = warnings(f"# Title\n\n{line}\n")
    assert warned.line == 3
    assert warned.phrase.lower() in line.lower()
    assert warned.advice


@pytest.mark.parametrize("line", FINE)
def test_facts_are_not(line: str) -> None:
    """Machines fail, plans describe; a suppression carries its reason."""
    assert warnings(line) == []

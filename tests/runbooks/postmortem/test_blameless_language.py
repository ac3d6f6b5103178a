"""The language lint: people's deeds are described, machines may fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.postmortem.language import warnings
from runbooks.postmortem.markdown import blocks_of, runs_of
from runbooks.postmortem.sections import enclosed, escaped, merged

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
def test_judgements_are_warned_of(line):
    """Line number, phrase and advice."""
    [warned] = warnings(f"# Title\n\n{line}\n")
    assert warned.line == 3
    assert warned.phrase.lower() in line.lower()
    assert warned.advice


@pytest.mark.parametrize("line", FINE)
def test_facts_are_not(line):
    """Machines fail, plans describe; a suppression carries its reason."""
    assert warnings(line) == []


@given(st.text())
def test_escaped_text_is_shown_as_it_is(text):
    """Whatever a text holds, Markdown shows its words and nothing else."""
    shown = "".join(run.text for run in runs_of(escaped(text)))
    assert shown == " ".join(text.split())
    assert all(run.kind == "text" for run in runs_of(escaped(text)))


@given(st.text(), st.text(), st.text(alphabet=st.characters(blacklist_characters="<")))
def test_merging_changes_machine_sections_only(before, after, body):
    """Text around a section stays to the letter; writing twice is writing once."""
    marked = enclosed("impact", "old")
    if "<!-- tocsin:" in before + after:
        return
    renewed = merged(before + marked + after, {"impact": body})
    assert renewed == before + enclosed("impact", body) + after
    assert merged(renewed, {"impact": body}) == renewed


@given(st.text())
def test_any_text_is_read(text):
    """The reader takes whatever people write; a line break at the end changes nothing."""
    assert blocks_of(text) == blocks_of(text + "\n")

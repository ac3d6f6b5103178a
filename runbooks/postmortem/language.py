"""Blameless language: warnings about sentences that judge people. Never rewrites, never blocks.

"Failed to", "forgot" and the like are only warned of with a person as the subject: "the service
failed to start" is a fact. Sources: Dekker, *The Field Guide to Understanding Human Error*, ch. 5;
https://postmortems.pagerduty.com/how_to_write/writing/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PERSON = (
    r"(?:we|they|he|she|you|i|somebody|someone|nobody|@\w+|(?:the\s+)?(?:incident\s+)?"
    r"(?:engineers?|operators?|developers?|responders?(?:\s+\d+)?|commander|on-?call|team|admin"
    r"|person|people|staff|sre))"
)
_RULES = (
    (
        rf"(?<!\w){_PERSON}\s+(?:should|could|would|ought\s+to|might)(?:\s+not|n't)?\s+have\b",
        "tells of what did not happen; describe what was done and what was known at the time",
    ),
    (
        rf"(?<!\w){_PERSON}\s+(?:failed\s+to|forgot|neglected|didn't|did\s+not|overlooked|missed)\b",
        "judges a person by the outcome; describe what the person saw and did",
    ),
    (r"\bif\s+only\b", "tells of another reality; describe this one"),
    (r"\b(?:human|operator|pilot)\s+error\b", "ends the question; ask what made it make sense"),
    (r"\b(?:careless|negligent|sloppy|incompetent|stupid)\w*\b", "judges; describe"),
    (r"\broot\s+cause\b", "there is seldom one; write of contributing factors"),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in _RULES)
_SUPPRESSED = re.compile(r"<!-- language: .+ -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A line to read again; ``line`` counts from 1, ``section`` is the heading above it."""

    line: int
    section: str
    phrase: str
    advice: str


def warnings(document: str) -> list[Warned]:
    """Return what to read again. ``<!-- language: reason -->`` on a line keeps it as it is."""
    found: list[Warned] = []
    section = ""
    for number, text in enumerate(document.splitlines(), start=1):
        if text.startswith("## "):
            section = text.removeprefix("## ").strip()
        if _SUPPRESSED.search(text):
            continue
        for pattern, advice in _COMPILED:
            found += [
                Warned(line=number, section=section, phrase=match[0], advice=advice)
                for match in pattern.finditer(text)
            ]
    return found

"""The page of limits, written from the settings and from the code in which bounds hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

from collectors.limits import Limits
from tocsin.bounds.bound import worded
from tocsin.bounds.rooms import FIXED, WHY
from tocsin.bounds.settings import SETTINGS
from tocsin.settings import setting_rows


def limits_page() -> str:
    """Return the page as Markdown."""
    return "".join([_HEAD, *_settings(), *_shared(), *_fixed()])


def _settings() -> Iterator[str]:
    yield "\n## Set by you\n\n| setting | default | meaning |\n|---|---|---|\n"
    rows = {row.name: row for row in setting_rows()}
    for name in SETTINGS:
        yield f"| `{name}` | `{rows[name].default}` | {rows[name].description} |\n"


def _shared() -> Iterator[str]:
    """Yield the table that receivers and stores share, by the sections of its description."""
    defaults = {field.name: field.default for field in fields(Limits)}
    for heading, rows in _sections(Limits.__doc__ or ""):
        yield f"\n## {heading}\n\n| bound | default | meaning |\n|---|---|---|\n"
        for name, text in rows:
            yield f"| `{name}` | {worded(name, defaults[name])} | {text} |\n"


def _fixed() -> Iterator[str]:
    for heading, bounds in FIXED.items():
        yield f"\n## {heading}\n\n{WHY[heading]}\n\n| bound on | at most | then |\n|---|---|---|\n"
        for bound in bounds:
            yield f"| {bound.what} | {bound.value} | {bound.at} |\n"


def _sections(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the headings of a docstring with their names and what is said of each."""
    for heading, body in re.findall(r"^    ([A-Z]\w+):\n((?: {8}.*\n?)+)", text, re.MULTILINE):
        rows = re.findall(r"^ {8}(\w+): ((?:.|\n {12})+)", body, re.MULTILINE)
        yield heading, [(name, " ".join(said.split())) for name, said in rows]


_HEAD = """# Limits

Nobody who reaches a port may make the alarm slow, stop it or silence it. So everything that a stranger can ask or send has a bound, and so has
everything that is kept. At a bound tocsin either refuses with a reason (the status stands below; the body says the offending value and what to do)
or lets the oldest go and counts it; it never forgets in silence. Bounds are on *work* and not only on bytes: what a body unpacks to, what a
pattern costs a character, how many points an answer has. What judges and pages is never in the same queue as what strangers ask.

`scripts/attack` tries them on a real server; [the threat model](threat-model.md) says against whom they stand. This page is generated from the
settings and from the code in which the bounds hold.
"""

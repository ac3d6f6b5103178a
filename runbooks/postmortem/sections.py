"""Machine sections between markers: written again and again, while everything else stays. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

BLANK = "_To be written by people:"
"""How a prompt begins; whoever writes replaces the whole line."""

_SECTION = re.compile(
    r"<!-- tocsin:begin (?P<name>[a-z-]+) -->\n.*?<!-- tocsin:end (?P=name) -->", re.DOTALL
)

_INLINE = re.compile(
    r"[\\`*_|<>\[\]]"
    r"|&(?=#?\w+;)"  # an entity
    r"|(?<!\S)#"  # a heading, or what ends one
)
_LINE_START = re.compile(r"^(?:[-+](?=[\s-]|$)|~|[0-9]{1,9}[.)](?=\s|$))")
"""What begins an item of a list, a rule or a fence; a minus before a number does not."""


def enclosed(name: str, body: str) -> str:
    """Return ``body`` between the markers of section ``name``."""
    return f"<!-- tocsin:begin {name} -->\n{body.strip()}\n<!-- tocsin:end {name} -->"


def merged(existing: str, sections: Mapping[str, str]) -> str:
    """Return ``existing`` with the bodies of its machine sections replaced.

    A section that people have removed stays removed, and text between sections is not touched.
    """

    def renewed(found: re.Match[str]) -> str:
        name = found["name"]
        return enclosed(name, sections[name]) if name in sections else found[0]

    return _SECTION.sub(renewed, existing)


def blanks(document: str) -> int:
    """Return how many prompts are still waiting for a person."""
    return sum(line.startswith(BLANK) for line in document.splitlines())


def escaped(text: object) -> str:
    r"""Return ``text`` so that Markdown shows it as it is, on one line.

    >>> escaped("a|b <!-- c -->")
    'a\\|b \\<!-- c --\\>'
    """
    flat = " ".join(str(text).split()).replace("\0", "\N{REPLACEMENT CHARACTER}")
    inline = _INLINE.sub(r"\\\g<0>", flat)
    return _LINE_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", inline)

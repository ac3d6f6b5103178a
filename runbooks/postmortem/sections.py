"""What people write into a post-mortem, and what each part asks of them. Pure.

Machine sections stand between markers; everything else belongs to people.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

BLANK = "_To be written by people:"
"""How a prompt begins; whoever writes replaces the whole line."""

_BEGIN = re.compile(r"<!-- tocsin:begin (?P<name>[a-z-]+) -->")
_END = re.compile(r"<!-- tocsin:end [a-z-]+ -->")

_INLINE = re.compile(
    r"[\\`*_|<>\[\]]"
    r"|&(?=#?\w+;)"  # an entity
    r"|(?<!\S)#"  # a heading, or what ends one
)
_LINE_START = re.compile(r"^(?:[-+](?=[\s-]|$)|~|[0-9]{1,9}[.)](?=\s|$))")
"""What begins an item of a list, a rule or a fence; a minus before a number does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A section that only people can write.

    Attributes:
        name: What commands call it.
        title: Its heading.
        asks: What to write there; empty: nothing has to be.
    """

    name: str
    title: str
    asks: str


PROMPTS = (
    Prompt(name="summary", title="Summary", asks=""),
    Prompt(
        name="users",
        title="What users saw",
        asks="in two or three sentences, what did users see, and who was affected?",
    ),
    Prompt(
        name="factors",
        title="Contributing factors",
        asks="which factors came together? Name at least two, or say why there is one.",
    ),
    Prompt(
        name="sense",
        title="What made sense at the time",
        asks="what did people see and know at each decision, and why was it reasonable?",
    ),
    Prompt(name="well", title="What went well", asks="what helped, and should be kept?"),
    Prompt(
        name="lucky",
        title="Where we were lucky",
        asks="what could have made it worse, and did not?",
    ),
    Prompt(
        name="surprises",
        title="What surprised us",
        asks="where was the system different from what people thought?",
    ),
    Prompt(
        name="against",
        title="Decisions against",
        asks="which actions were considered and not taken, and why?",
    ),
    Prompt(
        name="follow-ups",
        title="Action items",
        asks="add action items, or say why none is needed.",
    ),
    Prompt(name="notes", title="Further notes", asks=""),
)
"""In the order of the document. The summary has words of the machine until a person writes one;
what stands below a heading that is not known, in a file that somebody edited, goes to the notes."""

BY_NAME: Mapping[str, Prompt] = {prompt.name: prompt for prompt in PROMPTS}
_NOTES = "notes"
_BY_TITLE = {prompt.title: prompt.name for prompt in PROMPTS} | {"Follow-ups": "follow-ups"}


def enclosed(name: str, body: str) -> str:
    """Return ``body`` between the markers of section ``name``."""
    return f"<!-- tocsin:begin {name} -->\n{body.strip()}\n<!-- tocsin:end {name} -->"


def asked(prompt: Prompt) -> str:
    """Return the line that waits for a person."""
    return f"{BLANK} {prompt.asks}_"


def blanks(document: str) -> int:
    """Return how many prompts are still waiting for a person."""
    return sum(line.startswith(BLANK) for line in document.splitlines())


def by_people(document: str, known: Collection[str]) -> dict[str, str]:
    """Return what people wrote in a document, by section.

    Headings tell the sections; what stands below others belongs to the notes. Prompts that still
    wait are no text.

    Args:
        document: As it was found.
        known: Headings that are the document's own.
    """
    found: dict[str, list[str]] = {}
    current, inside, own = "", False, frozenset(known)
    for line in document.splitlines():
        if _BEGIN.fullmatch(line.strip()):
            inside = True
        elif _END.fullmatch(line.strip()):
            inside = False
        elif inside:
            continue
        elif line.startswith("## "):
            title = line.removeprefix("## ").strip()
            current = _BY_TITLE.get(title, _NOTES)
            if current == _NOTES and title not in own:
                found.setdefault(_NOTES, []).append(f"#{line}")
        elif not line.startswith(BLANK):
            found.setdefault(current, []).append(line)
    found.pop("", None)  # the title, and what earlier versions said below it
    texts = {name: "\n".join(lines).strip() for name, lines in found.items()}
    return {name: text for name, text in texts.items() if text}


def escaped(text: object) -> str:
    r"""Return ``text`` so that Markdown shows it as it is, on one line.

    >>> escaped("a|b <!-- c -->")
    'a\\|b \\<!-- c --\\>'
    """
    flat = " ".join(str(text).split()).replace("\0", "\N{REPLACEMENT CHARACTER}")
    inline = _INLINE.sub(r"\\\g<0>", flat)
    return _LINE_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", inline)

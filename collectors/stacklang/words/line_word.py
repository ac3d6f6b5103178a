"""Words that take lines and leave lines, keeping their style."""

from __future__ import annotations

from collectors.stacklang.program.datatypes import SERIES
from collectors.stacklang.program.inputs import Action
from collectors.stacklang.program.word import Word


def line_word(name: str, action: Action, summary: str, examples: tuple[str, ...]) -> Word:
    """Return a word that leaves one expression of lines with the style of its input."""
    return Word(
        name=name,
        action=action,
        outputs=(SERIES,),
        summary=summary,
        examples=examples,
        keeps_style=True,
    )

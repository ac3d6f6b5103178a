"""Words that take lines and leave lines, keeping their style."""

from __future__ import annotations

from collectors.stacklang.program.datatypes import SERIES
from collectors.stacklang.program.word import Parameter, Run, Word


def line_word(
    name: str, run: Run, parameters: tuple[Parameter, ...], summary: str, examples: tuple[str, ...]
) -> Word:
    """Return a word that leaves one expression of lines with the style of its input."""
    return Word(
        name=name,
        parameters=parameters,
        outputs=(SERIES,),
        run=run,
        summary=summary,
        examples=examples,
        keeps_style=True,
    )

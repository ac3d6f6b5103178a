"""What a person could write next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.stacklang.interpreter import Interpreter
from collectors.stacklang.word import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A word that fits the stack."""

    name: str
    signature: str
    description: str
    example: str


def complete(program: str, interpreter: Interpreter) -> list[Candidate]:
    """Return the words that can be executed after ``program``.

    Raises:
        QueryError: The program itself is wrong.
    """
    stack = interpreter.execute(program, unstable=True)
    return [candidate(word) for word in _overloads_first(interpreter.candidates(stack))]


def candidate(word: Word) -> Candidate:
    """Return a word as it is shown to people."""
    example = next((text for text in word.examples if not text.startswith("ERROR:")), "")
    shown = f"{example},:{word.name}" if example else f":{word.name}"
    return Candidate(
        name=word.name, signature=word.signature, description=word.summary, example=shown
    )


def _overloads_first(words: Sequence[Word]) -> list[Word]:
    """Return one word a name: the one that would be executed."""
    first: dict[str, Word] = {}
    for word in words:
        first.setdefault(word.name, word)
    return list(first.values())

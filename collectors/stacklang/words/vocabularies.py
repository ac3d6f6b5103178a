"""All vocabularies by name, and interpreters for them."""

from __future__ import annotations

import functools

from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.program.word import Vocabulary
from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.words.custom import custom_vocabulary
from collectors.stacklang.words.data import DATA_WORDS
from collectors.stacklang.words.event import EVENT_WORDS
from collectors.stacklang.words.filter import FILTER_WORDS
from collectors.stacklang.words.math import MATH_WORDS
from collectors.stacklang.words.query import QUERY_WORDS
from collectors.stacklang.words.standard import STANDARD
from collectors.stacklang.words.stateful import STATEFUL_WORDS
from collectors.stacklang.words.style import STYLE_WORDS

_FIXED = (
    STANDARD,
    QUERY_WORDS,
    DATA_WORDS,
    MATH_WORDS,
    STATEFUL_WORDS,
    FILTER_WORDS,
    STYLE_WORDS,
    EVENT_WORDS,
)
NAMES = (*(vocabulary.name for vocabulary in _FIXED), "custom")


def vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary called ``name``.

    Raises:
        QueryError: There is no such vocabulary.
    """
    return interpreter(name).vocabulary


@functools.cache
def interpreter(name: str = "custom") -> Interpreter:
    """Return an interpreter for a vocabulary and those that it builds on.

    Args:
        name: One of ``NAMES``; the default knows every word but those for events.

    Raises:
        QueryError: There is no such vocabulary.
    """
    if name == "custom":
        return Interpreter(custom_vocabulary())
    for known in _FIXED:
        if known.name == name:
            return Interpreter(known)
    raise illegal_argument(f"vocabulary '{name}' not found, known are: {', '.join(NAMES)}")

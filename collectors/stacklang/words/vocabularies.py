"""All vocabularies by name, and interpreters for them: every file here that declares one.

A vocabulary is a module of this package with a :class:`.Vocabulary`
named ``WORDS``. Nothing else needs to know of it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from collectors.discovery import declared
from collectors.stacklang import words as package
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.program.word import Vocabulary
from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.words.custom import custom_vocabulary


@functools.cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Return all vocabularies by name, each after those that it builds on.

    The last one, ``custom``, knows every word but those of vocabularies that have to be asked for.

    Raises:
        ConfigError: Two files declare the same name.
    """
    found = sorted(
        declared(package, "WORDS", Vocabulary).values(),
        key=lambda one: (one.on_request, len(one.all_words()), one.name),
    )
    custom = custom_vocabulary(also=[one for one in found if not one.on_request])
    return MappingProxyType({one.name: one for one in (*found, custom)})


@functools.cache
def interpreter(name: str = "custom") -> Interpreter:
    """Return an interpreter for a vocabulary and those that it builds on.

    Args:
        name: One of :func:`vocabularies`; the default knows all words that need not be asked for.

    Raises:
        QueryError: There is no such vocabulary.
    """
    known = vocabularies()
    if name not in known:
        raise illegal_argument(f"vocabulary '{name}' not found, known are: {', '.join(known)}")
    return Interpreter(known[name])

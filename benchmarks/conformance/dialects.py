"""Interpreters for the vocabularies that cases name, and running their programs."""

from __future__ import annotations

import functools
import re

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.rewrites import expand_rewrites
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.words.custom import CustomAverage, CustomWord, custom_vocabulary
from collectors.stacklang.words.vocabularies import interpreter

_NODE_AVERAGE = re.compile(r"custom (\S+): base (\S+) keys \[(.*)\]")
# The words that the suites behind the cases configure.
_WORDS = (
    CustomWord(name="square", body=":dup,:mul"),
    CustomWord(name="test-rewrite", body=":dup,:des-fast,test-rewrite,:named-rewrite"),
)
_AVERAGES = (
    CustomAverage(
        name="node-avg",
        base_query="name,aws.numInstances,:eq",
        keys=("app", "cluster", "asg", "zone", "region", "node"),
    ),
)


@functools.cache
def interpreter_for(vocabulary: str | None) -> Interpreter:
    """Return the interpreter for a case's vocabulary."""
    if vocabulary is None:
        return interpreter()
    described = _NODE_AVERAGE.fullmatch(vocabulary)
    if described:
        name, base, keys = described.groups()
        average = CustomAverage(
            name=name, base_query=base, keys=tuple(key.strip() for key in keys.split(","))
        )
        return Interpreter(custom_vocabulary((), (average,)))
    if vocabulary == "custom":
        return Interpreter(custom_vocabulary(_WORDS, _AVERAGES))
    return interpreter(vocabulary)


def styled(vocabulary: str | None, program: str) -> list[StyleExpr]:
    """Return the expressions that a program leaves."""
    stack = interpreter_for(vocabulary).execute(program, unstable=True)
    return [style for item in stack if (style := _as_styled(item)) is not None]


def _as_styled(item: object) -> StyleExpr | None:
    from collectors.stacklang.program.datatypes import as_styled

    return as_styled(item)


def expanded(expr: StyleExpr) -> Expr:
    """Return an expression with everything that is only displayed replaced by what is meant."""
    return expand_rewrites(expr)

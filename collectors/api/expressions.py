"""``/api/v1/expr/*``: what a program means, without running it over data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import json_response
from collectors.api.modernizing import without_deprecated
from collectors.api.parameters import Parameters, refuse
from collectors.api.stripping import strip
from collectors.budget import answered
from collectors.errors import NotFoundError, QueryError
from collectors.stacklang.expression import render_item
from collectors.stacklang.expressions.normalization import normalize
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import as_styled
from collectors.stacklang.program.interpreter import Interpreter, Step
from collectors.stacklang.program.type_names import type_summary
from collectors.stacklang.text.lexer import split_and_trim
from collectors.stacklang.words.vocabularies import interpreter, vocabularies

DEFAULT_VOCABULARY = "custom"
MAX_DEBUG_STEPS = 1_000

# They fit nearly every stack, so that proposing them would help nobody, or there is a better word.
_NOT_PROPOSED = frozenset(
    {
        *("2over", "call", "clear", "depth", "drop", "dup", "each", "fcall", "format", "freeze"),
        *("get", "list", "map", "ndrop", "nip", "nlist", "over", "pick", "roll", "rot", "-rot"),
        *("set", "sset", "swap", "tuck"),
        *("true", "false", "reic", "not", "all", "cf-avg", "cf-sum", "cf-min", "cf-max", "head"),
        *("des", "des-simple", "des-fast", "des-slow", "des-slower", "random"),
        *("des-epic-signal", "des-epic-viz", "stat-min-mf", "stat-max-mf", "stat-avg-mf"),
        *("stat-avg", "stat-max", "stat-min", "stat-last", "stat-count", "stat-total"),
    }
)

Answer = Callable[[Request], Response]


def debug_answer(request: Request) -> Response:
    """Answer the state before each step of a program and at its end, top of the stack first."""
    parameters = Parameters.of(request)
    program = parameters.required("q")
    vocabulary = parameters.text("vocab") or DEFAULT_VOCABULARY
    words = _interpreter(vocabulary)
    if len(split_and_trim(program)) > MAX_DEBUG_STEPS:
        raise refuse(f"a program of more than {MAX_DEBUG_STEPS} tokens is not shown step by step")
    steps = words.debug(program)
    check_result(vocabulary, steps[-1].context.stack)
    return json_response([_step(step) for step in steps])


def normalize_answer(request: Request) -> Response:
    """Answer the canonical text of each expression that a program leaves."""
    _, stack = _executed(request)
    return json_response([_told(text) for style in drawable(stack) for text in normalize([style])])


def complete_answer(request: Request) -> Response:
    """Answer the words that could follow a program, each with signature and description."""
    words, stack = _executed(request)
    # Matching looks at types only; a word is proposed if it really runs.
    fitting = [
        word
        for word in words.candidates(stack)
        if word.name not in _NOT_PROPOSED and _runs(words, stack, word.name)
    ]
    return json_response(
        [
            {
                "name": word.name,
                "signature": word.signature,
                "description": first_sentence(word.summary),
            }
            for word in fitting
        ]
    )


def queries_answer(request: Request) -> Response:
    """Answer the distinct queries of a program's data expressions, sorted."""
    _, stack = _executed(request)
    exprs = (data for style in drawable(stack) for data in style.expr.data_exprs)
    return json_response(sorted({_told(data.query.render()) for data in exprs}))


def rewrite_answer(request: Request) -> Response:
    """Answer the expressions without deprecated usage, top of the stack first, as in Atlas."""
    _, stack = _executed(request)
    styles = reversed(drawable(stack))
    return json_response([_told(without_deprecated(style, i)) for i, style in enumerate(styles)])


def strip_answer(request: Request) -> Response:
    """Answer the expressions without clauses on keys ``k`` and without vocabularies ``r``.

    The top of the stack comes first, as in Atlas.
    """
    parameters = Parameters.of(request)
    _, stack = _executed(request, unstable=False)
    keys, vocabularies = parameters.all("k"), parameters.all("r")
    stripped = [strip(style, keys, vocabularies) for style in reversed(drawable(stack))]
    return json_response([_told(style.render()) for style in stripped])


EXPRESSION_ANSWERS: Mapping[str, Answer] = {
    "": debug_answer,
    "/debug": debug_answer,
    "/normalize": normalize_answer,
    "/complete": complete_answer,
    "/queries": queries_answer,
    "/rewrite": rewrite_answer,
    "/strip": strip_answer,
}


def check_result(vocabulary: str, stack: Sequence[object]) -> None:
    """Raise ``QueryError`` unless a program left what its vocabulary is for."""
    if vocabulary == "std":
        return
    if vocabulary == "query":
        if len(stack) != 1:
            found = type_summary(stack) if stack else "stack is empty"
            raise refuse(f"expected a single query, found {found}")
        return
    if not stack:
        raise refuse("expected an expression, stack is empty")
    for item in stack:
        if as_styled(item) is None:
            raise refuse(f"expected an expression, found {type_summary([item])}")


def first_sentence(text: str) -> str:
    """Return ``text`` up to its first full stop: a list of proposals has no room for more.

    >>> first_sentence("One. Two.")
    'One.'
    """
    return text.partition(". ")[0].rstrip(".") + "."


def drawable(stack: Sequence[object]) -> list[StyleExpr]:
    """Return what can be drawn of a stack; these answers serve unfinished programs, too."""
    found = (as_styled(item) for item in stack)
    return [style for style in found if style is not None]


def _executed(request: Request, *, unstable: bool = True) -> tuple[Interpreter, list[object]]:
    parameters = Parameters.of(request)
    program = parameters.required("q")
    words = _interpreter(parameters.text("vocab") or DEFAULT_VOCABULARY)
    return words, words.execute(program, unstable=unstable)


def _interpreter(vocabulary: str) -> Interpreter:
    known = vocabularies()
    if vocabulary not in known:
        raise NotFoundError(f"no vocabulary '{vocabulary[:80]}', known are {', '.join(known)}")
    return interpreter(vocabulary)


def _runs(words: Interpreter, stack: Sequence[object], name: str) -> bool:
    try:
        Context(runner=words, stack=list(stack), unstable=True).run([f":{name}"])
    except QueryError:
        return False
    return True


def _step(step: Step) -> dict[str, object]:
    context = step.context
    return {
        "program": [_told(str(token)) for token in step.program],
        "context": {
            "stack": [_shown(item) for item in reversed(context.stack)],
            "variables": {name: _shown(value) for name, value in context.variables.items()},
        },
    }


def _shown(item: object) -> str:
    return _told(item if isinstance(item, str) else render_item(item))


def _told(text: str) -> str:
    """Return ``text``, counted as a part of the answer."""
    answered(len(text))
    return text

"""Kinds about programs: what they leave, how expressions render, normalise and compare."""

from __future__ import annotations

from typing import Any

from benchmarks.conformance.comparing import Case, Checker, differ, expect_error
from benchmarks.conformance.dialects import expanded, interpreter_for, styled
from benchmarks.conformance.fixtures import STEP_MS, database_for
from collectors.stacklang.evaluation.batch import evaluate_expressions
from collectors.stacklang.expression import Expr, render_items
from collectors.stacklang.expressions.legends import transform
from collectors.stacklang.expressions.normalization import normalize
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.simple_legends import with_simple_legends
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Window
from collectors.stacklang.program.inputs import takes
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.substitution import substitute

_ERROR_FIXTURE = "inputBad100"


def _shown(item: object) -> object:
    if isinstance(item, list):
        return item
    return {"query": item.render()} if isinstance(item, Expr) else item


def check_stack(case: Case) -> str | None:
    """What is left on the stack, top first."""
    stack = interpreter_for("query").execute(case["expr"])
    return differ([_shown(item) for item in reversed(stack)], case["expected"])


def check_no_match(case: Case) -> str | None:
    """The program must be refused."""
    expected = {"exception": "IllegalStateException"}
    return expect_error(lambda: interpreter_for("query").execute(case["expr"]), expected)


def check_error(case: Case) -> str | None:
    """The program must be refused with a message, when it is read or when it is evaluated."""
    if "program" in case:
        run = _interpreter_with_unstable().execute_tokens
        return expect_error(lambda: run(case["program"]), case["expected"])

    def evaluate() -> object:
        interpreter = interpreter_for(_vocabulary(case))
        stack = interpreter.execute(case["expr"], unstable=True)
        window = Window(start_ms=0, end_ms=STEP_MS, step_ms=STEP_MS)
        styles = [StyleExpr(item) for item in stack if isinstance(item, SeriesExpr)]
        return evaluate_expressions(styles, database_for(_ERROR_FIXTURE), window)

    return expect_error(evaluate, case["expected"])


def _vocabulary(case: Case) -> str | None:
    if case.get("vocab") is None and any(word in case["expr"] for word in (":table", ":sample,")):
        return "event"
    vocabulary = case.get("vocab")
    return str(vocabulary) if vocabulary else None


def _interpreter_with_unstable() -> Interpreter:
    base = interpreter_for(None).vocabulary
    word = Word(
        name="unstable",
        action=takes().does(lambda _context: None),
        outputs=(),
        summary="For the test of unstable words.",
        stable=False,
    )
    return Interpreter(Vocabulary(name="test", words=(word,), depends_on=(base,)))


def check_example_error(case: Case) -> str | None:
    """An example of a word that must fail."""
    return expect_error(lambda: interpreter_for(case.get("vocab")).execute(case["expr"]), None)


def check_example_roundtrip(case: Case) -> str | None:
    """An example runs, and what it leaves renders to a program that leaves the same."""
    interpreter = interpreter_for(case.get("vocab"))
    stack = interpreter.execute(case["expr"], unstable=True)
    again = interpreter.execute(render_items(stack), unstable=True)
    return differ(again, stack)


def check_equiv(case: Case) -> str | None:
    """Two programs mean the same, also when they have been rendered and read again."""
    left, right = (_meaning(case, key) for key in ("expr", "expected_expr"))
    return differ([str(expr) for expr in left], [str(expr) for expr in right]) or differ(
        left, right
    )


def _meaning(case: Case, key: str) -> list[Expr]:
    styles = styled(case.get("vocab"), case[key])
    rendered = ",".join(style.render() for style in styles)
    return [expanded(style) for style in styled(case.get("vocab"), rendered)]


def check_to_string(case: Case) -> str | None:
    """An expression renders as given, or as something that reads as the same expression."""
    stack = interpreter_for(case.get("vocab")).execute(case["expr"], unstable=True)
    text = render_items(stack)
    if text == case["expected"]:
        return None
    wanted = interpreter_for(case.get("vocab")).execute(case["expected"], unstable=True)
    return None if stack == wanted else differ(text, case["expected"])


def check_to_string_equal(case: Case) -> str | None:
    """Two programs render alike."""
    texts = [
        render_items(interpreter_for(case.get("vocab")).execute(case[key], unstable=True))
        for key in ("expr", "expected_expr")
    ]
    return differ(texts[0], texts[1])


def check_normalize(case: Case) -> str | None:
    """The canonical form of each expression."""
    return differ(normalize(styled(case.get("vocab"), case["expr"])), case["expected"])


def check_normalize_equal(case: Case) -> str | None:
    """Two programs have one canonical form."""
    left, right = (
        normalize(styled(case.get("vocab"), case[key])) for key in ("expr", "expected_expr")
    )
    return differ(left, right)


def check_final_grouping(case: Case) -> str | None:
    """The keys by which lines are grouped in the end."""
    (style,) = styled(case.get("vocab"), case["expr"])
    return differ(list(style.expr.final_grouping), case["expected"])


def check_style(case: Case) -> str | None:
    """The settings that style words leave."""
    (style,) = styled(case.get("vocab"), case["expr"])
    expected = case["expected"]
    return differ(style.expr.render(), expected["expr"]) or differ(
        dict(style.settings), expected["settings"]
    )


def check_legends(case: Case) -> str | None:
    """Legends made up for expressions that have none."""
    styles = with_simple_legends(styled(case.get("vocab"), case["expr"]))
    return differ(
        [style.settings.get("legend", "__NOT_SET__") for style in styles], case["expected"]
    )


def check_legend_transform(case: Case) -> str | None:
    """Replacing and decoding in a legend."""
    tags: dict[str, str] = case["tags"]

    def run() -> str:
        return transform(substitute(case["legend"], tags), case["sed"], tags)

    expected: Any = case["expected"]
    if isinstance(expected, dict) and "exception" in expected:
        return expect_error(run, expected)
    return differ(run(), expected)


LANGUAGE_KINDS: dict[str, Checker] = {
    "stack": check_stack,
    "no_match": check_no_match,
    "error": check_error,
    "example_error": check_example_error,
    "example_roundtrip": check_example_roundtrip,
    "equiv": check_equiv,
    "to_string": check_to_string,
    "to_string_equal": check_to_string_equal,
    "normalize": check_normalize,
    "normalize_equal": check_normalize_equal,
    "final_grouping": check_final_grouping,
    "style": check_style,
    "legends": check_legends,
    "legend_transform": check_legend_transform,
}

"""Vocabulary ``custom``: words that an operator defines, averages over another metric above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.data import GroupedData, as_sum
from collectors.stacklang.expressions.math import BinaryExpr
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.predicates.algebra import as_query, conjoin, rewrite_query, simplify
from collectors.stacklang.predicates.predicate import AnyOf, KeyPredicate, Predicate, Query
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import ANY, QUERY, SERIES
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.faults import illegal_argument
from collectors.stacklang.text.lexer import split_and_trim
from collectors.stacklang.words.query import WORDS as QUERY_WORDS
from collectors.stacklang.words.style import WORDS as STYLE_WORDS

NETFLIX_KEYS = tuple(
    f"nf.{key}"
    for key in (
        "account",
        "app",
        "ami",
        "asg",
        "cluster",
        "stack",
        "zone",
        "region",
        "node",
        "ns",
        "vmtype",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomWord:
    """A word defined as a program."""

    name: str
    body: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomAverage:
    """An average whose denominator is another metric, such as the number of servers.

    ``base_query`` selects the denominator; ``keys`` are the tags that it has, by which both can be
    restricted and grouped.
    """

    name: str
    base_query: str
    keys: tuple[str, ...]


DEFAULT_AVERAGES = (
    CustomAverage(name="node-avg", base_query="name,poller.asg.instance,:eq", keys=NETFLIX_KEYS),
    CustomAverage(
        name="eureka-avg",
        base_query="name,discovery.status,:eq,state,UP,:eq,:and",
        keys=NETFLIX_KEYS,
    ),
)


def custom_vocabulary(
    words: Sequence[CustomWord] = (),
    averages: Sequence[CustomAverage] = DEFAULT_AVERAGES,
    also: Sequence[Vocabulary] = (),
) -> Vocabulary:
    """Return the complete vocabulary with an operator's own words.

    Args:
        words: What the operator defines as programs.
        averages: What the operator defines as averages over another metric.
        also: Vocabularies beside Atlas's own; their words are tried after those.

    Raises:
        QueryError: A definition is not a program, or a base query not a query.
    """
    return Vocabulary(
        name="custom",
        depends_on=(STYLE_WORDS, *also),
        words=(
            *(_program_word(word) for word in words),
            *(_average_word(average) for average in averages),
        ),
    )


def _program_word(word: CustomWord) -> Word:
    tokens = split_and_trim(word.body)

    def run(context: Context) -> None:
        context.run(tokens)

    return Word(
        name=word.name,
        action=takes().does(run),
        outputs=(ANY,),
        summary=f"Shorthand for `{word.body}`.",
        examples=word.examples,
        shown_signature="? -- ?",
    )


def _average_word(average: CustomAverage) -> Word:
    base = _base_query(average)
    keys = frozenset(average.keys)

    def divide(display: Expr, group: tuple[str, ...]) -> SeriesExpr:
        query = as_query(display)
        numerator = as_sum(query)
        denominator = as_sum(conjoin(base, _common(query, keys)))
        shared = tuple(key for key in group if key in keys)
        return BinaryExpr(
            "div",
            GroupedData(numerator, group) if group else numerator,
            GroupedData(denominator, shared) if shared else denominator,
        )

    def run(context: Context, query: Query) -> None:
        evaluated = divide(query, ())
        context.push(
            NamedRewrite(average.name, query, (), evaluated, context.runner.reparse, divide)
        )

    return Word(
        name=average.name,
        action=takes(Parameter(type=QUERY, name="q")).does(run),
        outputs=(SERIES,),
        summary=f"The sum divided by the sum of `{average.base_query}`, which can be restricted "
        f"and grouped by {', '.join(average.keys)}.",
        examples=("name,sps,:eq",),
    )


def _base_query(average: CustomAverage) -> Query:
    match Interpreter(QUERY_WORDS).execute(average.base_query):
        case [Predicate() as query]:
            return as_query(query)
        case _:
            raise illegal_argument(
                f"base query of :{average.name} is not a query: {average.base_query}"
            )


def _common(query: Query, keys: frozenset[str]) -> Query:
    """Return the part of a query that also applies to the denominator."""

    def drop(node: Expr) -> Expr | None:
        if isinstance(node, KeyPredicate) and node.key not in keys:
            return AnyOf()
        return None

    return simplify(rewrite_query(query, drop), ignore=True)

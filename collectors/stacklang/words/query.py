"""Vocabulary ``query``: predicates over tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collectors.stacklang.expression import Expr
from collectors.stacklang.predicates.algebra import as_query, conjoin, disjoin, negate
from collectors.stacklang.predicates.java_regex import escape_regex
from collectors.stacklang.predicates.predicate import (
    AnyOf,
    Compare,
    Equal,
    HasKey,
    In,
    NoneOf,
    Predicate,
    Query,
    Regex,
)
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import ANY, QUERY, STRING, STRING_LIST
from collectors.stacklang.program.word import Parameter, Vocabulary, Word
from collectors.stacklang.words.standard import STANDARD

_KEY = Parameter(type=STRING, name="k", summary="tag key")
_VALUE = Parameter(type=STRING, name="v", summary="tag value")
_LEFT = Parameter(type=QUERY, name="q1")
_RIGHT = Parameter(type=QUERY, name="q2")
_EXAMPLES = ("a,b", "nf.node,silverlight-003e", "ERROR:name")
_REGEX_EXAMPLES = (
    "name,DiscoveryStatus_(UP|DOWN)",
    "name,discoverystatus_(Up|Down)",
    "ERROR:name",
)
_LOGIC_EXAMPLES = tuple(
    f"{left},{right}" for left in (":false", ":true") for right in (":false", ":true")
)


def common_query(expr: Expr, query: Query) -> Expr:
    """Return ``expr`` with ``query`` required of everything it fetches."""

    def restrict(node: Expr) -> Expr | None:
        return conjoin(as_query(node), query) if isinstance(node, Predicate) else None

    return expr.rewrite(restrict)


def _constant(name: str, query: Query, summary: str) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        del params
        context.push(query)

    return Word(
        name=name, parameters=(), outputs=(QUERY,), run=run, summary=summary, examples=("",)
    )


def _key_value(
    name: str,
    make: Callable[[str, str], Query],
    summary: str,
    examples: tuple[str, ...] = _EXAMPLES,
) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        context.push(make(str(params[0]), str(params[1])))

    return Word(
        name=name,
        parameters=(_KEY, _VALUE),
        outputs=(QUERY,),
        run=run,
        summary=summary,
        examples=examples,
    )


def _compare(op: str, summary: str) -> Word:
    return _key_value(
        op,
        lambda key, value: Compare(key, op, value),
        f"Series whose value of `k` is {summary} `v`. Values are text: `100` comes before `2`.",
    )


def _join(name: str, combine: Callable[[Query, Query], Query], summary: str) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        left, right = (as_query(param) for param in params if isinstance(param, Expr))
        context.push(combine(left, right))

    return Word(
        name=name,
        parameters=(_LEFT, _RIGHT),
        outputs=(QUERY,),
        run=run,
        summary=summary,
        examples=_LOGIC_EXAMPLES,
    )


def _has(context: Context, params: Sequence[object]) -> None:
    context.push(HasKey(str(params[0])))


def _in(context: Context, params: Sequence[object]) -> None:
    key, values = params
    choices = tuple(str(value) for value in values) if isinstance(values, tuple) else ()
    context.push(in_query(str(key), choices))


def in_query(key: str, values: tuple[str, ...]) -> Query:
    """Return a query for any of ``values``; simpler ones for none and for one."""
    if not values:
        return NoneOf()
    return Equal(key, values[0]) if len(values) == 1 else In(key, values)


def _not(context: Context, params: Sequence[object]) -> None:
    for param in params:
        if isinstance(param, Expr):
            context.push(negate(as_query(param)))


def _common_query(context: Context, params: Sequence[object]) -> None:
    target, query = params
    if isinstance(target, Expr) and isinstance(query, Expr):
        context.push(common_query(target, as_query(query)))
    else:
        context.push(target)


QUERY_WORDS = Vocabulary(
    name="query",
    depends_on=(STANDARD,),
    words=(
        _constant("true", AnyOf(), "All series."),
        _constant("false", NoneOf(), "No series."),
        Word(
            name="has",
            parameters=(_KEY,),
            outputs=(QUERY,),
            run=_has,
            summary="Series that have the key `k`, whatever its value.",
            examples=("a", "name", "ERROR:"),
        ),
        _key_value("eq", Equal, "Series whose value of `k` is exactly `v`."),
        _compare("lt", "less than"),
        _compare("le", "less than or equal to"),
        _compare("gt", "greater than"),
        _compare("ge", "greater than or equal to"),
        _key_value(
            "re",
            Regex,
            "Series whose value of `k` matches the regular expression `v` from its start. "
            "A pattern that begins with plain characters is answered from the index.",
            _REGEX_EXAMPLES,
        ),
        _key_value(
            "reic",
            lambda key, value: Regex(key, value, ignore_case=True),
            "Like `:re`, without regard to case. Every value of the key has to be looked at.",
            _REGEX_EXAMPLES,
        ),
        _key_value(
            "contains",
            lambda key, value: Regex(key, f".*{escape_regex(value)}"),
            "Series whose value of `k` contains `v`.",
            ("name,request", "result,error"),
        ),
        _key_value(
            "starts",
            lambda key, value: Regex(key, escape_regex(value)),
            "Series whose value of `k` starts with `v`.",
            ("name,req", "result,err"),
        ),
        _key_value(
            "ends",
            lambda key, value: Regex(key, f".*{escape_regex(value)}$"),
            "Series whose value of `k` ends with `v`.",
            ("name,error", "result,failed"),
        ),
        Word(
            name="in",
            parameters=(_KEY, Parameter(type=STRING_LIST, name="vs", summary="tag values")),
            outputs=(QUERY,),
            run=_in,
            summary="Series whose value of `k` is one of `vs`.",
            examples=(
                "name,(,sps,)",
                "name,(,requestsPerSecond,sps,)",
                "name,(,)",
                "ERROR:name,sps",
            ),
        ),
        _join("and", conjoin, "Series that match both queries."),
        _join("or", disjoin, "Series that match either query."),
        Word(
            name="not",
            parameters=(Parameter(type=QUERY, name="q"),),
            outputs=(QUERY,),
            run=_not,
            summary="Series that do not match the query, also those that lack its key.",
            examples=(":false", ":true"),
        ),
        Word(
            name="cq",
            parameters=(Parameter(type=ANY, name="expr"), Parameter(type=QUERY, name="query")),
            outputs=(ANY,),
            run=_common_query,
            summary="Require a query of everything that an expression fetches. "
            "Anything that is not an expression stays as it is.",
            examples=(
                "name,ssCpuUser,:eq,nf.app,alerttest,:eq",
                "42,nf.app,alerttest,:eq",
            ),
            shown_signature="Expr Query -- Expr",
        ),
    ),
)

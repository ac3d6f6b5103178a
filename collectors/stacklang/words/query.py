"""Vocabulary ``query``: predicates over tags."""

from __future__ import annotations

from collections.abc import Callable

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
from collectors.stacklang.program.datatypes import ANY, QUERY, STRING, STRING_LIST
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.words.standard import WORDS as STANDARD

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
    return Word(
        name=name,
        action=takes().leaves(lambda: query),
        outputs=(QUERY,),
        summary=summary,
        examples=("",),
    )


def _key_value(
    name: str,
    make: Callable[[str, str], Query],
    summary: str,
    examples: tuple[str, ...] = _EXAMPLES,
) -> Word:
    return Word(
        name=name,
        action=takes(_KEY, _VALUE).leaves(make),
        outputs=(QUERY,),
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
    return Word(
        name=name,
        action=takes(_LEFT, _RIGHT).leaves(combine),
        outputs=(QUERY,),
        summary=summary,
        examples=_LOGIC_EXAMPLES,
    )


def in_query(key: str, values: tuple[str, ...]) -> Query:
    """Return a query for any of ``values``; simpler ones for none and for one."""
    if not values:
        return NoneOf()
    return Equal(key, values[0]) if len(values) == 1 else In(key, values)


def _common_query(target: object, query: Query) -> object:
    return common_query(target, query) if isinstance(target, Expr) else target


WORDS = Vocabulary(
    name="query",
    depends_on=(STANDARD,),
    words=(
        _constant("true", AnyOf(), "All series."),
        _constant("false", NoneOf(), "No series."),
        Word(
            name="has",
            action=takes(_KEY).leaves(HasKey),
            outputs=(QUERY,),
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
            "Patterns are Java's without look-around, references to groups and possessive repeats; "
            "`:not` says what must not follow.",
            _REGEX_EXAMPLES,
        ),
        _key_value(
            "reic",
            lambda key, value: Regex(key, value, ignore_case=True),
            "Like `:re`, without regard to case.",
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
            action=takes(_KEY, Parameter(type=STRING_LIST, name="vs", summary="tag values")).leaves(
                in_query
            ),
            outputs=(QUERY,),
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
            action=takes(Parameter(type=QUERY, name="q")).leaves(negate),
            outputs=(QUERY,),
            summary="Series that do not match the query, also those that lack its key.",
            examples=(":false", ":true"),
        ),
        Word(
            name="cq",
            action=takes(
                Parameter(type=ANY, name="expr"), Parameter(type=QUERY, name="query")
            ).leaves(_common_query),
            outputs=(ANY,),
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

"""From a query's tokens to what it says; every refusal points at a column.

As in the language's own grammar (grafana/tempo, pkg/traceql/expr.y) ``&&`` and ``||`` bind alike,
from left to right, and relations such as ``>>`` closer than both.
"""

from __future__ import annotations

from functools import lru_cache

from collectors.errors import QueryError
from collectors.patterns import Pattern, PatternError
from collectors.traces.traceql.query import (
    DURATIONS,
    Aggregate,
    Always,
    And,
    Both,
    Compare,
    Condition,
    Either,
    Field,
    Filter,
    Intrinsic,
    Not,
    Or,
    Query,
    Related,
    Scope,
    Selection,
)
from collectors.traces.traceql.tokens import (
    Token,
    TokenKind,
    nanoseconds_of,
    tokens_of,
    unquoted,
    wrong,
)

MAX_TRACEQL_DEPTH = 32
MAX_TRACEQL_TERMS = 64
STATUSES = ("unset", "ok", "error")
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")

_RELATIONS = (">>", ">", "<<", "<", "~")
_COMPARISONS = ("=", "!=", ">", ">=", "<", "<=", "=~", "!~")
_ORDERS = ("=", "!=", ">", ">=", "<", "<=")
_AGGREGATES = ("count", "avg", "min", "max", "sum")
_METRICS = (
    *("rate", "count_over_time", "quantile_over_time", "histogram_over_time", "compare"),
    *("min_over_time", "max_over_time", "avg_over_time", "sum_over_time"),
)
_ALIASES = {
    "span:name": Intrinsic.NAME,
    "span:status": Intrinsic.STATUS,
    "span:statusMessage": Intrinsic.STATUS_MESSAGE,
    "span:kind": Intrinsic.KIND,
    "span:duration": Intrinsic.DURATION,
    "trace:rootName": Intrinsic.ROOT_NAME,
    "trace:rootService": Intrinsic.ROOT_SERVICE,
    "trace:duration": Intrinsic.TRACE_DURATION,
}
_INTRINSICS = {**{one.value: one for one in Intrinsic}, **_ALIASES}
_SCOPES = {"": Scope.ANY, "span": Scope.SPAN, "resource": Scope.RESOURCE}
_WORDS = {Intrinsic.STATUS: STATUSES, Intrinsic.KIND: KINDS}


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """Return what a query says.

    Raises:
        QueryError: It is none of the subset; the message has the column.
    """
    return _Parser(text).query()


def parse_field(text: str) -> Field:
    """Return the field that a name stands for, such as ``resource.service.name``.

    Raises:
        QueryError: It names none.
    """
    token, end = _only(text)
    if token.kind is not TokenKind.NAME or end.kind is not TokenKind.END:
        raise wrong(1, f"'{text[:80]}' is no name of an attribute or intrinsic")
    return _field(token)


def nanoseconds(text: str) -> int | None:
    """Return what a text such as ``1.5s`` or ``1m30s`` says in nanoseconds, None for another.

    >>> nanoseconds("1.5ms"), nanoseconds("5"), nanoseconds("soon")
    (1500000, None, None)
    """
    try:
        token, end = _only(text)
    except QueryError:
        return None
    if token.kind is not TokenKind.DURATION or end.kind is not TokenKind.END:
        return None
    return nanoseconds_of(token.text)


def _only(text: str) -> tuple[Token, Token]:
    found = tokens_of(text)
    return found[0], found[min(1, len(found) - 1)]


class _Parser:
    """Reads one query from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = 0
        self._terms = 0

    # -- tokens --------------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _is(self, *signs: str) -> bool:
        return self._next.kind is TokenKind.SIGN and self._next.text in signs

    def _expect(self, sign: str, after: str) -> None:
        if not self._is(sign):
            raise wrong(self._next.column, f"expected '{sign}' {after}, found {self._next.told}")
        self._take()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_TRACEQL_DEPTH:
            raise wrong(self._next.column, f"more than {MAX_TRACEQL_DEPTH} levels in each other")

    def _count(self, column: int) -> None:
        self._terms += 1
        if self._terms > MAX_TRACEQL_TERMS:
            raise wrong(column, f"a query has at most {MAX_TRACEQL_TERMS} comparisons and filters")

    # -- spansets ------------------------------------------------------------------------------

    def query(self) -> Query:
        """Read all of it."""
        if not self._text.strip():
            raise wrong(1, "the query is empty; { } selects every span")
        selection = self._combined()
        stages: list[Filter | Aggregate] = []
        shown: tuple[Field, ...] = ()
        while self._is("|"):
            self._take()
            if self._next.text == "select":
                shown += self._select()
            else:
                stages.append(self._stage())
        end = self._next
        if end.kind is not TokenKind.END:
            raise wrong(
                end.column,
                f"expected &&, ||, a relation such as >>, | or the end, found {end.told}",
            )
        return Query(self._text, selection, tuple(stages), shown)

    def _combined(self) -> Selection:
        left = self._related()
        while self._is("&&", "||"):
            make = Both if self._take().text == "&&" else Either
            left = make(left, self._related())
        return left

    def _related(self) -> Selection:
        left = self._spanset()
        while self._next.kind is TokenKind.SIGN and self._next.text != "|":
            op = self._next
            if op.text in _RELATIONS:
                self._take()
                left = Related(op.text, left, self._spanset())
            elif op.text in {"!>>", "!>", "!<<", "!<", "!~", "&"}:
                raise wrong(op.column, f"the relation '{op.text}' is not supported")
            else:
                break
        return left

    def _spanset(self) -> Selection:
        if self._is("("):
            self._take()
            self._deeper()
            inner = self._combined()
            self._depth -= 1
            self._expect(")", "after the spansets")
            return inner
        if self._is("{"):
            return self._filter()
        if self._next.kind is TokenKind.NAME:
            raise wrong(
                self._next.column,
                f"conditions stand in braces, as in {{ {self._next.text[:40]} = … }}",
            )
        raise wrong(self._next.column, f"expected '{{', found {self._next.told}")

    def _filter(self) -> Filter:
        self._count(self._take().column)
        if self._is("}"):
            self._take()
            return Filter(Always())
        condition = self._conditions()
        self._expect("}", "after the conditions")
        return Filter(condition)

    # -- conditions ----------------------------------------------------------------------------

    def _conditions(self) -> Condition:
        left = self._term()
        while self._is("&&", "||"):
            make = And if self._take().text == "&&" else Or
            left = make(left, self._term())
        return left

    def _term(self) -> Condition:
        negated = self._is("!")
        if negated:
            self._take()
            if not self._is("("):
                raise wrong(self._next.column, f"expected '(' after !, found {self._next.told}")
        if self._is("("):
            self._take()
            self._deeper()
            inner = self._conditions()
            self._depth -= 1
            self._expect(")", "after the conditions")
            return Not(inner) if negated else inner
        if self._next.text in ("true", "false") and self._tokens[self._at + 1].text in (
            *("}", "&&", "||", ")"),
        ):
            return Always(self._take().text == "true")
        return self._compare()

    def _compare(self) -> Compare:
        name = self._next
        if name.kind is not TokenKind.NAME:
            raise wrong(name.column, f"expected an attribute or an intrinsic, found {name.told}")
        field = _field(self._take())
        self._count(field.column)
        op = self._operator(_COMPARISONS, name.text)
        negative = self._is("-")
        if negative:
            self._take()
        token = self._take()
        value = _value(field, op, token)
        if negative:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise wrong(token.column, f"expected a number after -, found {token.told}")
            value = -value
        return Compare(field, op.text, value)

    def _operator(self, known: tuple[str, ...], after: str) -> Token:
        op = self._take()
        if op.kind is not TokenKind.SIGN or op.text not in known:
            hint = (
                " (arithmetic is not supported)"
                if op.text in ("+", "-", "*", "/", "^", "%")
                else ""
            )
            raise wrong(
                op.column,
                f"expected one of {', '.join(known)} after {after[:40]}, found {op.told}{hint}",
            )
        return op

    # -- stages --------------------------------------------------------------------------------

    def _stage(self) -> Filter | Aggregate:
        if self._is("{"):
            return self._filter()
        name = self._take()
        if name.text in _METRICS:
            raise wrong(
                name.column,
                f"'{name.text}' makes metrics of spans, which the words :spans, :span-count, "
                ":span-duration and :span-error-ratio of the stack language do here",
            )
        if name.text not in _AGGREGATES:
            known = ", ".join(f"{one}()" for one in (*_AGGREGATES, "select"))
            raise wrong(name.column, f"expected {{ … }} or one of {known}, found {name.told}")
        self._count(name.column)
        self._expect("(", f"after {name.text}")
        field = None if name.text == "count" else self._summed(name)
        self._expect(")", f"after {name.text}({'' if field is None else '…'}")
        op = self._operator(_ORDERS, f"{name.text}()")
        return Aggregate(name.text, field, op.text, self._bound(field))

    def _summed(self, name: Token) -> Field:
        token = self._take()
        if token.kind is not TokenKind.NAME:
            raise wrong(token.column, f"{name.text}() needs a field, such as duration")
        field = _field(token)
        if field.scope is Scope.INTRINSIC and field.key not in DURATIONS:
            raise wrong(field.column, f"{name.text}() needs a number, {token.told} is none")
        return field

    def _bound(self, field: Field | None) -> float:
        negative = self._is("-")
        if negative:
            self._take()
        token = self._take()
        timed = field is not None and field.key in DURATIONS and field.scope is Scope.INTRINSIC
        wanted = TokenKind.DURATION if timed else TokenKind.NUMBER
        if token.kind is TokenKind.DURATION and field is not None:
            return _signed(nanoseconds_of(token.text), negative)
        if token.kind is not wanted:
            example = "a duration such as 300ms" if timed else "a number"
            raise wrong(token.column, f"expected {example}, found {token.told}")
        return _signed(float(token.text), negative)

    def _select(self) -> tuple[Field, ...]:
        self._take()
        self._expect("(", "after select")
        fields = []
        while True:
            token = self._take()
            if token.kind is not TokenKind.NAME:
                raise wrong(token.column, f"select() needs names of fields, found {token.told}")
            self._count(token.column)
            fields.append(_field(token))
            if not self._is(","):
                break
            self._take()
        self._expect(")", "after the fields")
        return tuple(fields)


def _signed(value: float, negative: bool) -> float:
    return -value if negative else value


def _field(token: Token) -> Field:
    text = token.text
    known = _INTRINSICS.get(text)
    if known is not None:
        return Field(Scope.INTRINSIC, known.value, token.column)
    scope, dot, key = text.partition(".")
    if not dot:
        raise wrong(
            token.column,
            f"'{text[:40]}' is no intrinsic (known: {', '.join(sorted(_INTRINSICS))}); an "
            f"attribute is written .{text[:40]}, span.{text[:40]} or resource.{text[:40]}",
        )
    if scope not in _SCOPES:
        raise wrong(
            token.column, f"scope '{scope}' is not supported; there are span., resource. and ."
        )
    key = "".join(unquoted(part) if part[0] == '"' else part for part in _parts(key))
    return Field(_SCOPES[scope], key, token.column)


def _parts(key: str) -> list[str]:
    """Return the quoted and the plain pieces of a key."""
    parts, plain, at = [], "", 0
    while at < len(key):
        if key[at] == '"':
            end = at + 1
            while key[end] != '"':
                end += 2 if key[end] == "\\" else 1
            parts += [plain, key[at : end + 1]]
            plain, at = "", end + 1
        else:
            plain, at = plain + key[at], at + 1
    return [part for part in (*parts, plain) if part]


def _value(field: Field, op: Token, token: Token) -> str | float | bool | None:
    """Return what a field is compared with, of a type that the comparison has a meaning for."""
    if op.text in ("=~", "!~"):
        return _pattern(field, token)
    if field.scope is Scope.INTRINSIC and field.key in _WORDS:
        return _word(Intrinsic(field.key), op, token)
    if token.text == "nil":
        if op.text not in ("=", "!="):
            raise wrong(op.column, "nil is only compared by = and !=")
        return None
    if field.is_number:
        return _number(field, token)
    if token.kind is TokenKind.TEXT:
        return unquoted(token.text)
    if field.scope is not Scope.INTRINSIC:
        if token.text in ("true", "false"):
            return token.text == "true"
        if token.text in STATUSES or token.text in KINDS:
            raise wrong(token.column, f"{token.told} is for status and kind; a text has quotes")
        if token.kind in (TokenKind.NUMBER, TokenKind.DURATION):
            return _number(field, token)
    hint = ", which has quotes" if token.kind is TokenKind.NAME else ""
    raise wrong(token.column, f"expected a text{hint}, found {token.told}")


def _number(field: Field, token: Token) -> float:
    timed = field.key in DURATIONS and field.scope is Scope.INTRINSIC
    if token.kind is TokenKind.DURATION:
        return float(nanoseconds_of(token.text))
    if token.kind is TokenKind.NUMBER and not timed:
        return float(token.text)
    example = "a duration such as 300ms" if timed else "a number"
    raise wrong(token.column, f"expected {example}, found {token.told}")


def _word(intrinsic: Intrinsic, op: Token, token: Token) -> str:
    known = _WORDS[intrinsic]
    if op.text not in ("=", "!="):
        raise wrong(op.column, f"{intrinsic.value} is only compared by = and !=")
    if token.text not in known:
        raise wrong(
            token.column, f"{intrinsic.value} is one of {', '.join(known)}, found {token.told}"
        )
    # What says nothing of its kind is kept as internal.
    return "internal" if token.text == "unspecified" else token.text


def _pattern(field: Field, token: Token) -> str:
    if token.kind is not TokenKind.TEXT:
        raise wrong(token.column, f"expected a pattern in quotes, found {token.told}")
    if field.is_number:
        raise wrong(field.column, f"{field.key} is a number and matches no pattern")
    text = unquoted(token.text)
    try:
        Pattern(whole(text))
    except PatternError as error:
        raise wrong(token.column, str(error)) from None
    return text


def whole(pattern: str) -> str:
    """Return a pattern that matches all of a text, as the language means it."""
    return rf"(?:{pattern})\z"

"""A TraceQL query as SQL: what a trace must have to be selected at all.

What can't be said in one statement (relations in the tree of spans, sums over what is selected) is
left to :mod:`collectors.traces.query.evaluation`, which decides of every trace found here; these
conditions never leave out a trace that it would select.
"""

# ruff: noqa: S608 - statements are made of numbers, table names and literals from quoted()

from __future__ import annotations

from collections.abc import Iterator

from collectors.history.engine import quoted
from collectors.traces.history.span_rows import IDENTITY_COLUMNS
from collectors.traces.traceql.parser import whole
from collectors.traces.traceql.query import (
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

_TEXTS = {
    Intrinsic.NAME: "SpanName",
    Intrinsic.STATUS: "lower(StatusCode)",
    Intrinsic.STATUS_MESSAGE: "StatusMessage",
    Intrinsic.KIND: "lower(SpanKind)",
    Intrinsic.TRACE_ID: "TraceId",
    Intrinsic.SPAN_ID: "SpanId",
}
_MAPS = ("SpanAttributes", "ResourceAttributes")
# Of the trace as a whole, or of where a span stands in it: not seen in one row.
_OF_TRACES = frozenset(
    {
        Intrinsic.ROOT_NAME,
        Intrinsic.ROOT_SERVICE,
        Intrinsic.TRACE_DURATION,
        Intrinsic.NESTED_SET_PARENT,
    }
)


def traces_sql(query: Query, table: str, within: str) -> str | None:
    """Return a condition on ``TraceId``, None where every trace may be selected.

    Args:
        query: What is asked.
        table: Of the spans.
        within: The condition on a span's time.
    """
    return _traces(query.selection, table, within)


def spans_sql_of(query: Query, table: str, within: str) -> tuple[str | None, str | None]:
    """Return a condition that a span of every selected trace meets, and what the trace must beside.

    Either is None where nothing can be said; arguments as above.
    """
    return _split(query.selection, table, within)


def rows_sql_of(query: Query) -> str | None:
    """Return a condition on spans that suffice to say what a query selects of their traces.

    None where it takes others of the trace as well.
    """
    if not isinstance(query.selection, Filter) or any(map(_is_of_trace, _asked(query))):
        return None
    return _rows(query.selection.condition, negated=False)


def needs_attributes(query: Query) -> bool:
    """Return whether a query looks at anything that the slim columns lack."""
    return any(
        field.key == Intrinsic.STATUS_MESSAGE
        if field.scope is Scope.INTRINSIC
        else (field.scope, field.key) != (Scope.RESOURCE, "service.name")
        for field in _asked(query)
    )


def _asked(query: Query) -> set[Field]:
    fields = {*_fields(query.selection), *query.shown}
    for stage in query.stages:
        if isinstance(stage, Filter):
            fields.update(_fields(stage))
        elif stage.field is not None:
            fields.add(stage.field)
    return fields


def _is_of_trace(field: Field) -> bool:
    return field.scope is Scope.INTRINSIC and Intrinsic(field.key) in _OF_TRACES


def _fields(part: Selection | Condition) -> Iterator[Field]:
    match part:
        case Filter(condition):
            yield from _fields(condition)
        case Not(inner):
            yield from _fields(inner)
        case Compare(field, _, _):
            yield field
        case Both(left, right) | Either(left, right) | Related(_, left, right):
            yield from _fields(left)
            yield from _fields(right)
        case And(one, other) | Or(one, other):
            yield from _fields(one)
            yield from _fields(other)


def whole_traces_sql(
    table: str, trace_ids: str, within: str, most: int, columns: str, rows: str = "true"
) -> str:
    """Return a statement for the spans of traces that ``rows`` holds of, each trace's in a row."""
    return (
        f"SELECT {columns} FROM {table} WHERE TraceId IN ({trace_ids}) AND {within} AND {rows} "
        f"ORDER BY TraceId, Timestamp, SpanId LIMIT 1 BY TraceId, {IDENTITY_COLUMNS} LIMIT {most}"
    )


def _traces(selection: Selection, table: str, within: str) -> str | None:
    match selection:
        case Filter(condition):
            rows = _rows(condition, negated=False)
            if rows is None:
                return None
            return f"TraceId IN (SELECT TraceId FROM {table} WHERE {within} AND {rows})"
        case Either(left, right):
            return _or(_traces(left, table, within), _traces(right, table, within))
        case Both(left, right) | Related(_, left, right):
            return _and(_traces(left, table, within), _traces(right, table, within))


def _split(selection: Selection, table: str, within: str) -> tuple[str | None, str | None]:
    match selection:
        case Filter(condition):
            return _rows(condition, negated=False), None
        case Either(left, right):
            one, other = _split(left, table, within), _split(right, table, within)
            beside = _traces(selection, table, within) if one[1] or other[1] else None
            return _or(one[0], other[0]), beside
        case Both(left, right) | Related(_, left, right):
            row, beside = _split(left, table, within)
            if row is None:
                row, beside = _split(right, table, within)
                return row, _and(beside, _traces(left, table, within))
            return row, _and(beside, _traces(right, table, within))


def _and(left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return left or right
    return f"({left} AND {right})"


def _or(left: str | None, right: str | None) -> str | None:
    return None if left is None or right is None else f"({left} OR {right})"


def _rows(condition: Condition, *, negated: bool) -> str | None:
    """Return what holds of every row that the condition, or its negation, holds of; or None."""
    match condition:
        case Always(holds):
            return None if holds is not negated else "false"
        case Not(inner):
            return _rows(inner, negated=not negated)
        case And(left, right) | Or(left, right):
            join = _and if isinstance(condition, And) is not negated else _or
            return join(_rows(left, negated=negated), _rows(right, negated=negated))
        case Compare():
            said = _compare(condition)
            return said if said is None or not negated else f"NOT ({said})"


def _compare(condition: Compare) -> str | None:
    field, op, value = condition.field, condition.op, condition.value
    if _is_of_trace(field):
        return None
    text = _text(field)
    there = _there(field)
    if value is None:
        return there if op == "!=" else f"NOT ({there})"
    if isinstance(value, bool):
        return f"({there} AND {text} {op} {quoted(str(value).lower())})"
    if isinstance(value, str):
        return f"({_indexed(field, op, value)}{there} AND {_texts(text, op, value)})"
    if field.is_number:
        return f"Duration {op} {_number(value)}"
    # NULL, of a text that is no number, must not become true where the whole is negated.
    return f"({there} AND ifNull(toFloat64OrNull({text}) {op} {_number(value)}, false))"


def _indexed(field: Field, op: str, value: str) -> str:
    """Return what holds wherever an attribute has a value, and which an index knows about."""
    if op != "=" or not value or "SpanAttributes" not in _text(field):
        return ""
    maps = ("SpanAttributes",) if field.scope is Scope.SPAN else _MAPS
    return f"({' OR '.join(f'has(mapValues({one}), {quoted(value)})' for one in maps)}) AND "


def _texts(text: str, op: str, value: str) -> str:
    if op in ("=~", "!~"):
        said = f"match({text}, {quoted(f'(?s)^{whole(value)}')})"
        return said if op == "=~" else f"NOT {said}"
    return f"{text} {op} {quoted(value)}"


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) and abs(value) < 1 << 62 else repr(value)


def _text(field: Field) -> str:
    key = quoted(field.key)
    span, resource = f"SpanAttributes[{key}]", f"ResourceAttributes[{key}]"
    if field.scope is Scope.INTRINSIC:
        return _TEXTS.get(Intrinsic(field.key), "''")
    if field.key == "service.name":
        resource = "ServiceName"
    match field.scope:
        case Scope.SPAN:
            return span
        case Scope.RESOURCE:
            return resource
    return f"if(mapContains(SpanAttributes, {key}), {span}, {resource})"


def _there(field: Field) -> str:
    key = quoted(field.key)
    span, resource = (
        f"mapContains(SpanAttributes, {key})",
        f"mapContains(ResourceAttributes, {key})",
    )
    if field.scope is Scope.INTRINSIC or (
        field.key == "service.name" and field.scope is not Scope.SPAN
    ):
        return "true"
    match field.scope:
        case Scope.SPAN:
            return span
        case Scope.RESOURCE:
            return resource
    return f"({span} OR {resource})"

"""Vocabulary ``event``: queries over events."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.event import EventSample, EventTable, RawEvents
from collectors.stacklang.predicates.algebra import as_query
from collectors.stacklang.predicates.predicate import Predicate
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import MISMATCH, QUERY, STRING_LIST, DataType
from collectors.stacklang.program.word import Parameter, Vocabulary, Word
from collectors.stacklang.words.query import QUERY_WORDS


def _event(item: object) -> object:
    if isinstance(item, RawEvents | EventTable | EventSample):
        return item
    return RawEvents(as_query(item)) if isinstance(item, Predicate) else MISMATCH


EVENT = DataType("EventExpr", _event)
_QUERY = Parameter(type=QUERY, name="q", summary="which events")


def _table(context: Context, params: Sequence[object]) -> None:
    query, columns = params
    if isinstance(query, Expr) and isinstance(columns, tuple):
        context.push(EventTable(as_query(query), columns))


def _sample(context: Context, params: Sequence[object]) -> None:
    query, sample_by, projection = params
    if isinstance(query, Expr) and isinstance(sample_by, tuple) and isinstance(projection, tuple):
        context.push(EventSample(as_query(query), sample_by, projection))


EVENT_WORDS = Vocabulary(
    name="event",
    depends_on=(QUERY_WORDS,),
    words=(
        Word(
            name="sample",
            parameters=(
                _QUERY,
                Parameter(type=STRING_LIST, name="sampleBy"),
                Parameter(type=STRING_LIST, name="projectionKeys"),
            ),
            outputs=(EVENT,),
            run=_sample,
            summary="Count the events for each combination of values of some keys, with an "
            "example of each.",
            examples=("level,ERROR,:eq,(,fingerprint,),(,message,)",),
        ),
        Word(
            name="table",
            parameters=(_QUERY, Parameter(type=STRING_LIST, name="columns")),
            outputs=(EVENT,),
            run=_table,
            summary="A row of some columns for each event.",
            examples=("level,ERROR,:eq,(,message,)",),
        ),
    ),
)

"""Vocabulary ``event``: queries over events."""

from __future__ import annotations

from collectors.stacklang.expressions.event import EventSample, EventTable, RawEvents
from collectors.stacklang.predicates.algebra import as_query
from collectors.stacklang.predicates.predicate import Predicate
from collectors.stacklang.program.datatypes import MISMATCH, QUERY, STRING_LIST, DataType, Mismatch
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.words.query import WORDS as QUERY_WORDS


def _event(item: object) -> RawEvents | EventTable | EventSample | Mismatch:
    if isinstance(item, RawEvents | EventTable | EventSample):
        return item
    return RawEvents(as_query(item)) if isinstance(item, Predicate) else MISMATCH


EVENT = DataType("EventExpr", _event)
_QUERY = Parameter(type=QUERY, name="q", summary="which events")

WORDS = Vocabulary(
    name="event",
    depends_on=(QUERY_WORDS,),
    on_request=True,
    words=(
        Word(
            name="sample",
            action=takes(
                _QUERY,
                Parameter(type=STRING_LIST, name="sampleBy"),
                Parameter(type=STRING_LIST, name="projectionKeys"),
            ).leaves(EventSample),
            outputs=(EVENT,),
            summary="Count the events for each combination of values of some keys, with an "
            "example of each.",
            examples=("level,ERROR,:eq,(,fingerprint,),(,message,)",),
        ),
        Word(
            name="table",
            action=takes(_QUERY, Parameter(type=STRING_LIST, name="columns")).leaves(EventTable),
            outputs=(EVENT,),
            summary="A row of some columns for each event.",
            examples=("level,ERROR,:eq,(,message,)",),
        ),
    ),
)

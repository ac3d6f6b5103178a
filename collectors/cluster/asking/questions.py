"""What one node asks another, and how a store answers it.

A question is a kind and plain arguments, an answer a :class:`~collectors.cluster.frames.Frame`. The
same pair serves a store in this process and one behind HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from collectors.cluster.asking.predicates import plain_query, query_from
from collectors.cluster.frames import Frame
from collectors.errors import DecodeError
from collectors.promql.labels.matchers import Matcher, MatchOp
from collectors.promql.labels.table import Labels
from collectors.promql.labels.words import Words
from collectors.promql.samples.columns import Samples
from collectors.stacklang.lines.database import Aggregate, Consolidation, Fetch, Lines, Window
from collectors.stacklang.predicates.predicate import Query
from collectors.store.reading import StoreReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: one of :data:`ANSWERS`, with its arguments as JSON can say them."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Asked(Protocol):
    """A node, or whatever stands for one."""

    def ask(self, question: Question, slots: Sequence[int] | None, timeout_s: float) -> Frame:
        """Return the answer for some slots, None: for everything.

        Raises:
            StorageError: The node can't be reached, or can't answer now.
            OverloadedError: It has too much to do, or is not ready yet.
            InputError: The question is wrong, or asks for too much.
        """
        ...


# -- fetches -------------------------------------------------------------------------------------


def plain_fetch(request: Fetch) -> dict[str, Any]:
    """Return a fetch as plain values."""
    window = request.window
    return {
        "query": plain_query(request.query),
        "aggregate": request.aggregate.value,
        "consolidation": request.consolidation.value,
        "window": [window.start_ms, window.end_ms, window.step_ms],
        "by": list(request.group_by),
    }


def fetch_from(plain: Mapping[str, Any]) -> Fetch:
    """Return the fetch that plain values stand for.

    Raises:
        DecodeError: They stand for none.
    """
    try:
        start_ms, end_ms, step_ms = map(int, plain["window"])
        return Fetch(
            query=query_from(plain["query"]),
            aggregate=Aggregate(plain["aggregate"]),
            consolidation=Consolidation(plain["consolidation"]),
            window=Window(start_ms=start_ms, end_ms=end_ms, step_ms=max(1, step_ms)),
            group_by=tuple(map(str, plain["by"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError(f"no fetch: {str(plain)[:80]}") from error


def lines_question(request: Fetch) -> Question:
    """Ask for lines."""
    return Question(kind="lines", arguments=plain_fetch(request))


def _lines(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    found = reader.fetch(fetch_from(arguments))
    return Frame(head=[dict(tags) for tags in found.tags], arrays={"values": found.values})


def lines_of(frame: Frame) -> Lines:
    """Return the lines that were answered."""
    return Lines(tags=frame.head, values=frame.arrays["values"])


def heard_question(request: Fetch) -> Question:
    """Ask when the series of a fetch were last heard of."""
    return Question(kind="heard", arguments=plain_fetch(request))


def _heard(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    found = reader.heard(fetch_from(arguments))
    return Frame(
        head=[dict(tags) for tags in found.tags],
        arrays={
            "series": found.series,
            "line": found.line,
            "sender": found.sender,
            "newest_ms": found.newest_ms,
        },
    )


def _newest(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    return Frame(head=reader.newest_ms(fetch_from(arguments)))


# -- samples -------------------------------------------------------------------------------------


def plain_matchers(matchers: Sequence[Matcher]) -> list[list[str]]:
    """Return matchers as plain values."""
    return [[matcher.name, matcher.op.value, matcher.value] for matcher in matchers]


def _matchers(arguments: Mapping[str, Any]) -> list[Matcher]:
    try:
        return [
            Matcher(name=str(name), op=MatchOp(op), value=str(value))
            for name, op, value in arguments["matchers"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError("no matchers") from error


def samples_question(
    matchers: Sequence[Matcher], first_ms: int, last_ms: int, names: Collection[str] | None = None
) -> Question:
    """Ask for samples after ``first_ms`` and up to ``last_ms``, with all labels or some."""
    arguments = {
        "matchers": plain_matchers(matchers),
        "span": [first_ms, last_ms],
        "names": None if names is None else sorted(names),
    }
    return Question(kind="samples", arguments=arguments)


def _samples(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    first_ms, last_ms = map(int, arguments["span"])
    found = reader.samples().select(_matchers(arguments), first_ms, last_ms, Words())
    labels = found.labels
    if arguments["names"] is not None:
        labels = labels.only(arguments["names"])
    head, numbers = plain_labels(labels)
    columns = {"offsets": found.offsets, "times": found.times, "values": found.values}
    return Frame(head=head, arrays={**columns, "labels": numbers})


def plain_labels(labels: Labels) -> tuple[dict[str, Any], Any]:
    """Return label sets as names and texts, and (names, size) int32 positions in the texts."""
    columns = list(labels.columns.values())
    stacked = np.array(columns, dtype=np.int32).reshape(len(columns), labels.size)
    used, numbers = np.unique(stacked, return_inverse=True)
    texts = [labels.words.texts[number] for number in used.tolist()]
    head = {"names": list(labels.columns), "texts": texts, "size": labels.size}
    return head, numbers.reshape(stacked.shape).astype(np.int32)


def labels_from(frame: Frame, words: Words) -> Labels:
    """Return the label sets that were answered, by numbers of ``words``."""
    own = np.array(words.numbers(frame.head["texts"]), dtype=np.int32)
    numbers = frame.arrays["labels"]
    columns = {name: own[numbers[row]] for row, name in enumerate(frame.head["names"])}
    return Labels(words=words, columns=columns, size=int(frame.head["size"]))


def samples_of(frame: Frame, words: Words) -> Samples:
    """Return the samples that were answered."""
    arrays = frame.arrays
    return Samples(
        labels=labels_from(frame, words),
        offsets=arrays["offsets"],
        times=arrays["times"],
        values=arrays["values"],
    )


# -- tags and labels -----------------------------------------------------------------------------


def query_question(kind: str, query: Query, **arguments: Any) -> Question:
    """Ask for tags of series that match: ``keys``, ``values``, ``value_counts``, ``tag_counts``."""
    return Question(kind=kind, arguments={"query": plain_query(query), **arguments})


def matchers_question(kind: str, matchers: Sequence[Matcher], **arguments: Any) -> Question:
    """Ask for labels of series that match."""
    return Question(kind=kind, arguments={"matchers": plain_matchers(matchers), **arguments})


def _keys(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    return Frame(head=reader.keys(query_from(arguments["query"])))


def _values(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    query, most = query_from(arguments["query"]), arguments["most"]
    return Frame(head=reader.values(arguments["key"], query, arguments["after"], most))


def _value_counts(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    return Frame(head=reader.value_counts(arguments["key"], query_from(arguments["query"])))


def _tag_counts(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    found = reader.tag_counts(query_from(arguments["query"]), int(arguments["most"]))
    tags = {key: dict(values) for key, values in found.tags.items()}
    return Frame(head={"series": found.series, "counted": found.counted, "tags": tags})


def _label_sets(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    first_ms, last_ms = arguments["span"]
    labels = reader.samples().label_sets(_matchers(arguments), Words(), (first_ms, last_ms))
    head, numbers = plain_labels(labels)
    return Frame(head=head, arrays={"labels": numbers})


def _label_names(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    first_ms, last_ms = arguments["span"]
    return Frame(head=reader.samples().label_names(_matchers(arguments), (first_ms, last_ms)))


def _label_values(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    first_ms, last_ms = arguments["span"]
    name, matchers = arguments["name"], _matchers(arguments)
    return Frame(head=reader.samples().label_values(name, matchers, (first_ms, last_ms)))


def _older(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    first_ms, last_ms = arguments["span"]
    found, said = reader.samples().older(_matchers(arguments), (first_ms, last_ms))
    return Frame(head=[found, said])


def _counted(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    return Frame(head=reader.samples().counted(arguments["name"], _matchers(arguments)))


def _counters(reader: StoreReader, arguments: Mapping[str, Any]) -> Frame:
    del arguments
    return Frame(head=sorted(reader.samples().counters()))


ANSWERS: Mapping[str, Callable[[StoreReader, Mapping[str, Any]], Frame]] = {
    "lines": _lines,
    "heard": _heard,
    "newest_ms": _newest,
    "samples": _samples,
    "keys": _keys,
    "values": _values,
    "value_counts": _value_counts,
    "tag_counts": _tag_counts,
    "label_sets": _label_sets,
    "label_names": _label_names,
    "label_values": _label_values,
    "older": _older,
    "counted": _counted,
    "counters": _counters,
}
"""Every kind of question."""


def answered(reader: StoreReader, question: Question) -> Frame:
    """Answer a question from a store, or a share of one.

    Raises:
        InputError: The question is wrong, or asks for too much.
        StorageError: History can't answer.
    """
    answer = ANSWERS.get(question.kind)
    if answer is None:
        raise DecodeError(f"a node asks {question.kind[:40]!r}, which this version does not know")
    try:
        return answer(reader, question.arguments)
    except (KeyError, TypeError) as error:
        raise DecodeError(f"a node asks {question.kind!r} without what it needs") from error

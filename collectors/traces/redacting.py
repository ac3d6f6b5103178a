"""Secrets taken out of spans before anybody keeps them, by the rules that log records go by.

The same few thousand attributes arrive millions of times: what a key with its value holds is judged
once and remembered, so that a span costs a look-up for each of its attributes.
"""

from __future__ import annotations

import operator
import threading
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from collectors.attribute_text import text_of
from collectors.log_batch import FIELD, pack_pair
from collectors.model import AttributeValue, Receipt, Span, SpanEvent, SpanLink, SpanWriter
from collectors.redacting.redactor import Redactor

MAX_REMEMBERED = 100_000
MAX_REMEMBERED_CHARS = 16 << 20
_FEWEST_DIGITS = 10**11
"""A number below has fewer digits than a card has."""

_Attributes = Mapping[str, AttributeValue]
_Pair = tuple[str, Hashable]


class RedactedSpans:
    """A :class:`~collectors.model.SpanWriter` that takes secrets out; safe for many threads.

    Args:
        writer: Where spans go then.
        redactor: Whose rules they go by.
    """

    def __init__(self, writer: SpanWriter, redactor: Redactor) -> None:
        self._writer = writer
        self._redactor = redactor
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._forget()

    @property
    def counts(self) -> Mapping[str, int]:
        """How much was hidden since the start, by rule."""
        with self._lock:
            return MappingProxyType(dict(self._counts))

    def write_spans(self, spans: Sequence[Span]) -> Receipt:
        """Hand spans on without their secrets.

        Raises:
            StorageError: The store failed; nothing was kept.
        """
        if self._redactor.redaction.spans:
            with self._lock:
                spans = self._cleaned(spans)
        return self._writer.write_spans(spans)

    def _forget(self) -> None:
        self._rules = self._redactor.redaction
        self._known: dict[_Pair, None] = {}
        self._hidden: dict[_Pair, tuple[str, Counter[str]]] = {}
        self._nested: set[str] = set()  # keys of lists and maps that hold a secret
        self._chars = 0

    def _cleaned(self, spans: Sequence[Span]) -> Sequence[Span]:
        full = len(self._known) > MAX_REMEMBERED or self._chars > MAX_REMEMBERED_CHARS
        if full or self._rules is not self._redactor.redaction:
            self._forget()
        resources = {id(span.resource): span.resource for span in spans}
        self._learn([*resources.values(), *(found for span in spans for found in _parts(span))])
        if not self._hidden:
            return spans
        clean = {key: self._without(found) for key, found in resources.items()}
        return [self._clean(span, clean[id(span.resource)]) for span in spans]

    def _learn(self, parts: Sequence[_Attributes]) -> None:
        """Judge every pair of a key and a value that is not known."""
        known = self._known
        fresh: dict[_Pair, str] = {}
        nested: set[_Pair] = set()
        for found in parts:
            try:
                if known.keys() >= found.items():
                    continue
            except TypeError:  # a list within
                pass
            for key, value in found.items():
                pair = _hashable((key, value))
                if pair not in known:
                    known[pair] = None
                    if pair[1] is not value:
                        nested.add(pair)
                    text = _doubtful_text(pair[1])
                    if text:
                        fresh[pair] = pack_pair(pair[0], text)
        self._chars += sum(map(len, fresh.values()))
        pairs = list(fresh)
        for at, (text, hidden) in self._redactor.changed([*fresh.values()], keyed=True).items():
            self._hidden[pairs[at]] = text.partition(FIELD)[2], hidden
            if pairs[at] in nested:
                self._nested.add(pairs[at][0])

    def _clean(self, span: Span, resource: _Attributes) -> Span:
        texts, told = self._without(own := _texts(span)), self._without(span.attributes)
        events = [self._clean_event(event) for event in span.events]
        links = [self._clean_link(link) for link in span.links]
        after = (resource, texts, told, *events, *links)
        before = (span.resource, own, span.attributes, *span.events, *span.links)
        if all(map(operator.is_, after, before)):
            return span
        return replace(
            span,
            name=str(texts[_NAME]),
            status_message=str(texts[_MESSAGE]),
            resource=resource,
            service=span.service if resource is span.resource else _service(span, resource),
            attributes=told,
            events=tuple(events),
            links=tuple(links),
        )

    def _clean_event(self, event: SpanEvent) -> SpanEvent:
        attributes = self._without(event.attributes)
        return event if attributes is event.attributes else replace(event, attributes=attributes)

    def _clean_link(self, link: SpanLink) -> SpanLink:
        attributes = self._without(link.attributes)
        return link if attributes is link.attributes else replace(link, attributes=attributes)

    def _without(self, found: _Attributes) -> _Attributes:
        """Return attributes without their secrets; the same if they have none."""
        pairs, nested = self._hidden.keys(), self._nested
        if pairs.isdisjoint(found.items()) and nested.isdisjoint(found.keys()):
            return found
        changed: dict[str, AttributeValue] = {}
        for pair in map(_hashable, found.items()):
            hidden = self._hidden.get(pair)
            if hidden is not None:
                changed[pair[0]] = hidden[0]
                self._counts.update(hidden[1])
        return {**found, **changed} if changed else found


_NAME, _MESSAGE = "", " "
"""Keys under which a span's own texts are judged; no attribute is called so."""


def _service(span: Span, resource: _Attributes) -> str:
    return text_of(resource.get("service.name")) or span.service


def _texts(span: Span) -> _Attributes:
    return {_NAME: span.name, _MESSAGE: span.status_message}


def _parts(span: Span) -> Iterator[_Attributes]:
    """Yield everything that senders write into a span, but for its resource."""
    yield _texts(span)
    yield span.attributes
    for event in span.events:
        yield event.attributes
    for link in span.links:
        yield link.attributes


def _hashable(pair: tuple[str, AttributeValue]) -> _Pair:
    key, value = pair
    return (key, text_of(value)) if isinstance(value, list | dict) else (key, value)


def _doubtful_text(value: Hashable) -> str:
    """Return what may hold a secret as text: texts, and numbers as long as a card's."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value > _FEWEST_DIGITS:
        return str(value)
    return ""

"""``series``, ``labels``, ``label/<name>/values``, ``metadata`` and ``query_exemplars``.

Series are those that have samples from ``start`` to ``end``. What only history has is looked for
where ``start`` says so; who gives none is answered from the hot window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.prometheus.forms import BadParameterError, Form, unescaped
from collectors.api.prometheus.reading import SampleStore, StoredSource
from collectors.api.prometheus.replies import Answer, success_of
from collectors.budget import look
from collectors.model import Tags
from collectors.prometheus_labels import label_name
from collectors.promql.labels.matchers import Matcher
from collectors.promql.labels.words import Words
from collectors.promql.language.checking import walk
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.language.parsing import parse
from collectors.promql.samples.columns import EVER, Span
from collectors.stacklang.predicates.predicate import Query
from collectors.traces.exemplars import TracedValue

_TRUNCATED = "results truncated due to limit"
_MAX_EXEMPLARS = 1_000
_MAX_TIME_MS = 1 << 53


class ExemplarReader(Protocol):
    """What the endpoint needs of the exemplar store."""

    def find(
        self, query: Query, start_ms: int, end_ms: int, limit: int = ...
    ) -> Sequence[TracedValue]:
        """Return exemplars of series that match, newest first."""
        ...


def _limited(found: Sequence[object], limit: int, notes: Iterable[str]) -> Response:
    warnings = list(dict.fromkeys(notes))
    if limit and len(found) > limit:
        return success_of(list(found[:limit]), [*warnings, _TRUNCATED])
    return success_of(list(found), warnings)


def _span_of(form: Form) -> Span:
    """Return the span that is asked for, all time without one."""
    return form.time_ms("start", EVER[0]), form.time_ms("end", EVER[1])


def _older(
    source: StoredSource, form: Form, matchers: Sequence[Matcher], notes: list[str]
) -> Sequence[Mapping[str, str]]:
    """Return what history has; it is asked by those alone who say since when."""
    if not form.text("start"):
        return ()
    found, said = source.older(matchers, _span_of(form))
    notes += said
    return found


def series_answer(store: SampleStore) -> Answer:
    """Return the answer to ``series``: the label sets that match."""

    def answer(form: Form, request: Request) -> Response:
        del request
        found: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        source, span_ms, notes = store.samples(), _span_of(form), list[str]()
        for matchers in form.selectors(required=True):
            look()
            held = source.label_sets(matchers, Words(), span_ms).dicts()
            for one in (*held, *_older(source, form, matchers, notes)):
                found[tuple(sorted(one.items()))] = one
        return _limited([found[key] for key in sorted(found)], form.limit(), notes)

    return answer


def labels_answer(store: SampleStore) -> Answer:
    """Return the answer to ``labels``: the names of labels of series that match."""

    def answer(form: Form, request: Request) -> Response:
        del request
        names: set[str] = set()
        source, span_ms, notes = store.samples(), _span_of(form), list[str]()
        for matchers in form.selectors(required=False) or [()]:
            names.update(source.label_names(matchers, span_ms))
            names.update(*_older(source, form, matchers, notes))
        return _limited(sorted(names), form.limit(), notes)

    return answer


def values_answer(store: SampleStore) -> Answer:
    """Return the answer to ``label/<name>/values``."""

    def answer(form: Form, request: Request) -> Response:
        name = unescaped(request.path_params["name"])
        if not name:
            raise BadParameterError('invalid label name: ""')
        values: set[str] = set()
        source, span_ms, notes = store.samples(), _span_of(form), list[str]()
        for matchers in form.selectors(required=False) or [()]:
            values.update(source.label_values(name, matchers, span_ms))
            older = _older(source, form, matchers, notes)
            values.update(one[name] for one in older if name in one)
        return _limited(sorted(values), form.limit(), notes)

    return answer


def metadata_answer(store: SampleStore) -> Answer:
    """Return the answer to ``metadata``: the type of each metric, as far as it is known."""

    def answer(form: Form, request: Request) -> Response:
        del request
        source, wanted, limit = store.samples(), form.text("metric"), form.limit()
        names, counters = source.label_values("__name__", ()), source.counters()
        types: dict[str, str] = {}
        for name in names:
            base = name.removesuffix("_bucket")
            if base != name and name in counters:
                types[base] = "histogram"
        for name in names:
            base = name.removesuffix("_count").removesuffix("_sum").removesuffix("_bucket")
            if types.get(base) != "histogram":
                types[name] = "counter" if name in counters else "gauge"
        chosen = [name for name in sorted(types) if wanted in ("", name)]
        data = {
            name: [{"type": types[name], "help": "", "unit": ""}]
            for name in (chosen[:limit] if limit else chosen)
        }
        return success_of(data)

    return answer


def exemplars_answer(store: SampleStore, exemplars: ExemplarReader | None) -> Answer:
    """Return the answer to ``query_exemplars``: traces of the series that an expression reads."""

    def answer(form: Form, request: Request) -> Response:
        del request
        node = parse(form.expression())
        start_ms, end_ms = form.time_ms("start", 0), form.time_ms("end", _MAX_TIME_MS)
        if end_ms < start_ms:
            raise BadParameterError("end timestamp must not be before start timestamp")
        found: dict[frozenset[tuple[str, str]], tuple[Tags, list[TracedValue]]] = {}
        source, warnings = store.samples(), list[str]()
        selectors = [one for one in walk(node) if isinstance(one, VectorSelector)]
        for selector in selectors if exemplars else ():
            query = source.query(selector.matchers)
            some = exemplars.find(query, start_ms, end_ms, _MAX_EXEMPLARS) if exemplars else ()
            if len(some) >= _MAX_EXEMPLARS:
                warnings = [f"at most the newest {_MAX_EXEMPLARS} exemplars of a selector"]
            for traced in some:
                key = frozenset(traced.tags.items())
                found.setdefault(key, (traced.tags, []))[1].append(traced)
        return success_of([_shown(tags, traced) for tags, traced in found.values()], warnings)

    return answer


def _shown(tags: Tags, traced: Sequence[TracedValue]) -> dict[str, object]:
    named = ((label_name(key), value) for key, value in tags.items())
    labels = {name: value for name, value in named if name is not None}
    return {
        "seriesLabels": labels,
        "exemplars": [
            {
                "labels": {"trace_id": one.trace_id, "span_id": one.span_id},
                "value": repr(one.value),
                "timestamp": one.time_ms / 1000,
            }
            for one in sorted(traced, key=lambda one: one.time_ms)
        ],
    }

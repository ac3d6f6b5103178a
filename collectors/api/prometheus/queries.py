"""``query``, ``query_range``, ``format_query`` and ``parse_query``."""

from __future__ import annotations

from dataclasses import replace

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collectors.api.prometheus.forms import BadParameterError, Form
from collectors.api.prometheus.reading import SampleStore
from collectors.api.prometheus.rendering import as_json
from collectors.api.prometheus.replies import Answer, success
from collectors.budget import elapsed_s
from collectors.clock import Clock
from collectors.promql.evaluation.query import Answer as Evaluated
from collectors.promql.evaluation.query import instant, over_range
from collectors.promql.language.described import described
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import printed
from collectors.promql.vectors.context import MAX_QUERY_POINTS, Options

_TRUNCATED = "results truncated due to limit"


def _options(form: Form) -> Options:
    options = Options()
    lookback_ms = form.duration_ms("lookback_delta")
    return replace(options, lookback_ms=lookback_ms) if lookback_ms > 0 else options


def _answered(evaluated: Evaluated, form: Form, *, ranged: bool) -> Response:
    data, cut = as_json(evaluated, ranged=ranged, limit=form.limit())
    if form.text("stats"):
        # All that is measured of a query: how long it took, its waiting included.
        timings = orjson.dumps({"timings": {"execTotalTime": elapsed_s()}})
        data = b"".join([data[:-1], b',"stats":', timings, b"}"])
    warnings = [*evaluated.warnings, *([_TRUNCATED] if cut else [])]
    return success(data, warnings, evaluated.infos)


def query_answer(store: SampleStore, clock: Clock) -> Answer:
    """Return the answer to ``/api/v1/query``: an expression at a time, now by default."""

    def answer(form: Form, request: Request) -> Response:
        del request
        time_ms = form.time_ms("time", clock.now_ms())
        text = form.expression()
        return _answered(
            instant(text, store.samples(), time_ms, _options(form)), form, ranged=False
        )

    return answer


def range_answer(store: SampleStore) -> Answer:
    """Return the answer to ``/api/v1/query_range``: an expression at each step of a range."""

    def answer(form: Form, request: Request) -> Response:
        del request
        for name in ("start", "end", "step"):
            if not form.text(name):
                raise BadParameterError(f'invalid parameter "{name}": it is missing')
        first_ms, last_ms = form.time_ms("start", 0), form.time_ms("end", 0)
        if last_ms < first_ms:
            raise BadParameterError(
                'invalid parameter "end": end timestamp must not be before start time'
            )
        step_ms = form.duration_ms("step")
        if step_ms <= 0:
            raise BadParameterError(
                'invalid parameter "step": zero or negative query resolution step widths are not '
                "accepted. Try a positive integer"
            )
        if (last_ms - first_ms) // step_ms > MAX_QUERY_POINTS:
            raise BadParameterError(
                f"exceeded maximum resolution of {MAX_QUERY_POINTS:,} points per timeseries. Try "
                "decreasing the query resolution (?step=XX)"
            )
        text = form.expression()
        found = over_range(text, store.samples(), first_ms, last_ms, step_ms, _options(form))
        return _answered(found, form, ranged=True)

    return answer


def format_answer(form: Form, request: Request) -> Response:
    """Answer ``/api/v1/format_query``: the expression as it is usually written."""
    del request
    return success(orjson.dumps(printed(parse(form.expression()))))


def parse_answer(form: Form, request: Request) -> Response:
    """Answer ``/api/v1/parse_query``: the nodes of the expression."""
    del request
    return success(orjson.dumps(described(parse(form.expression()))))

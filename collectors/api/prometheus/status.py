"""``status/…``: what Prometheus tells of itself. Rules are told of by whoever evaluates them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.prometheus.forms import Form
from collectors.api.prometheus.reading import SampleStore, ServerFacts
from collectors.api.prometheus.replies import Answer, success_of
from collectors.clock import Clock

LEVEL = "3.5.0"
"""The version of Prometheus whose API this is: clients choose by it what they ask."""

_TOP = 10


def _told(data: object) -> Answer:
    def answer(form: Form, request: Request) -> Response:
        del form, request
        return success_of(data)

    return answer


def status_answers(store: SampleStore, facts: ServerFacts, clock: Clock) -> dict[str, Answer]:
    """Return the answers by the last part of their path under ``/api/v1``."""
    return {
        "status/buildinfo": _told(
            {
                "version": LEVEL,
                "revision": facts.version,
                "branch": "tocsin",
                "buildUser": "",
                "buildDate": "",
                "goVersion": "",
            }
        ),
        "status/config": _told({"yaml": ""}),
        "status/flags": _told(dict(facts.flags)),
        "status/runtimeinfo": _runtime(facts, clock),
        "status/tsdb": _tsdb(store),
    }


def _runtime(facts: ServerFacts, clock: Clock) -> Answer:
    def answer(form: Form, request: Request) -> Response:
        del form, request
        # How the newest reload went is told at /health: nothing is said of it here.
        return success_of(
            {
                "startTime": _moment(facts.started_ms),
                "CWD": "",
                "hostname": "",
                "serverTime": _moment(clock.now_ms()),
                "corruptionCount": 0,
                "goroutineCount": threading.active_count(),
                "GOMAXPROCS": 0,
                "GOMEMLIMIT": 0,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": facts.retention,
            }
        )

    return answer


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def _tsdb(store: SampleStore) -> Answer:
    def answer(form: Form, request: Request) -> Response:
        del request
        source, top = store.samples(), form.limit() or _TOP
        names = source.counted("__name__", ())
        most = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
        labels = {name: len(source.label_values(name, ())) for name in source.label_names(())}
        widest = sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
        return success_of(
            {
                "headStats": {
                    "numSeries": sum(names.values()),
                    "numLabelPairs": sum(labels.values()),
                    "chunkCount": 0,
                    "minTime": 0,
                    "maxTime": 0,
                },
                "seriesCountByMetricName": [{"name": n, "value": v} for n, v in most],
                "labelValueCountByLabelName": [{"name": n, "value": v} for n, v in widest],
                "memoryInBytesByLabelName": [],
                "seriesCountByLabelValuePair": [],
            }
        )

    return answer

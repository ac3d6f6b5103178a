"""Lines such as services write: few patterns, many values, some rare words."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

SERVICES = ("gateway", "catalogue", "playback", "billing", "licences", "edge")
TEMPLATES = (
    (9, "GET /titles/{n} answered 200 in {m} ms for member {k}"),
    (9, "session {k} started title {n} on tv in us-east-1"),
    (9, "cache hit for key title:{n} after {m} us"),
    (5, "pool has {m} idle connections of {n}"),
    (13, "calling billing failed: no answer within {m} ms, attempt {n}"),
    (17, "POST /playback failed: connection reset by peer after {m} ms"),
)
_WEIGHTS = (40, 25, 20, 12, 2, 1)
RARE = "quorum lost in zone {z}"
"""One line of a hundred thousand, which is what a search is for."""


def bodies(lines: int, a_request: int, start_ns: int, step_ns: int) -> Iterator[tuple[bytes, int]]:
    """Yield export requests of ``a_request`` lines each, and how many lines each has."""
    rng = Random(7)
    for first in range(0, lines, a_request):
        request = ExportLogsServiceRequest()
        count = min(a_request, lines - first)
        group = request.resource_logs.add()
        service = SERVICES[(first // a_request) % len(SERVICES)]
        for key, value in (("service.name", service), ("cloud.region", "us-east-1")):
            group.resource.attributes.add(key=key).value.string_value = value
        records = group.scope_logs.add().log_records
        for at in range(first, first + count):
            severity, text = rng.choices(TEMPLATES, _WEIGHTS)[0]
            if at % 100_000 == 50_000:
                severity, text = 17, RARE
            n, m, k = rng.randrange(9_999), rng.randrange(900), rng.randrange(10**6)
            record = records.add(time_unix_nano=start_ns + at * step_ns, severity_number=severity)
            record.body.string_value = text.format(n=n, m=m, k=k, z=at)
            record.attributes.add(key="thread").value.string_value = f"worker-{n % 16}"
            record.trace_id = rng.getrandbits(128).to_bytes(16, "big")
            record.span_id = rng.getrandbits(64).to_bytes(8, "big")
        yield request.SerializeToString(), count

"""OTLP log export requests → :class:`~collectors.log_batch.LogBatch`."""

from __future__ import annotations

from typing import Any

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.log_batch import (
    FIELD,
    PAIR,
    LogColumns,
    LogOrigin,
    LogWriter,
    pack,
    pack_pair,
    severity_named,
)
from collectors.model import Receipt, Rejection
from collectors.receivers.attributes import as_text, plain_value
from collectors.receivers.log_turns import write_logs_in_turns
from collectors.receivers.otlp.signal import OtlpSignal
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.otlp.wire import logs_request, scope
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.budget import Budget

RECEIVER = "otlp.logs"
MAX_LEVEL_CHARS = 64
_NEWEST_NS = 2**63 - 1
_HIGHEST = 24
_TRACE_FLAGS = 0xFF  # the others are reserved
MAX_REMEMBERED = 100_000
_LONG_BYTES = 1_024


class OtlpLogs(OtlpSignal):
    """Takes ``ExportLogsServiceRequest``."""

    def __init__(self, logs: LogWriter, limits: Limits, stats: ReceiverStats) -> None:
        super().__init__(RECEIVER, limits, stats)
        self._logs = logs
        self._packed: dict[bytes, str] = {}

    def _stored(self, body: bytes, flaws: Flaws, budget: Budget) -> Receipt:
        columns = LogColumns()
        for group in budget.watch(logs_request(body, flaws, budget).resource_logs):
            self._group(group, columns, flaws, budget)
        return write_logs_in_turns(self._logs, columns.batch())

    def _group(self, group: Any, columns: LogColumns, flaws: Flaws, budget: Budget) -> None:
        units = sum(len(scoped.log_records) for scoped in group.scope_logs)
        resource = self._resource(group, units, flaws)
        if resource is None:
            return
        service = as_text(resource.get("service.name"))
        packed = pack({key: as_text(value) for key, value in resource.items()})
        for scoped in budget.watch(group.scope_logs):
            origin = _origin(service or "unknown_service", packed, scoped.scope)
            for message in budget.watch(scoped.log_records):
                if len(columns) >= self._limits.max_logs_per_request:
                    most = self._limits.max_logs_per_request
                    flaws.rejections.append(self._too_many(most, "log records"))
                    continue
                try:
                    self._line(message, origin, columns, flaws)
                except DecodeError as error:
                    tags = {"service.name": origin.service}
                    flaws.rejections.append(
                        Rejection(reason="invalidLogRecord", detail=error.message, tags=tags)
                    )

    def _line(self, message: Any, origin: LogOrigin, columns: LogColumns, flaws: Flaws) -> None:
        time_ns = message.time_unix_nano or message.observed_time_unix_nano
        if time_ns > _NEWEST_NS:
            raise DecodeError(f"a log record at {time_ns} ns since the epoch: after year 2262")
        trace_id, span_id = _ids(message, flaws)
        number = message.severity_number
        if not 0 <= number <= _HIGHEST:
            flaws.warn("severityUnknown", f"severity number {number} is not one of 1 to 24")
            number = 0
        level = message.severity_text[:MAX_LEVEL_CHARS]
        attributes = self._attributes(message.attributes)
        if message.event_name:
            event = pack_pair("event.name", message.event_name[:MAX_LEVEL_CHARS])
            attributes = f"{attributes}{PAIR}{event}" if attributes else event
        columns.add(
            origin,
            time_ns,
            severity=number or severity_named(level),
            level=level,
            body=self._body(message.body, flaws),
            attributes=attributes,
            trace_id=trace_id,
            span_id=span_id,
            flags=message.flags & _TRACE_FLAGS if trace_id else 0,
        )

    def _body(self, value: Any, flaws: Flaws) -> str:
        text = value.string_value or as_text(plain_value(value))
        if len(text) <= self._limits.max_log_chars:
            return str(text)
        detail = f"a body of {len(text)} characters is cut after {self._limits.max_log_chars}"
        flaws.warn("bodyCut", detail)
        return str(text[: self._limits.max_log_chars])

    def _attributes(self, raws: Any) -> str:
        return PAIR.join(map(self._pair, raws[: self._limits.max_span_attributes]))

    def _pair(self, raw: bytes) -> str:
        found = self._packed.get(raw)
        if found is None:
            key, value = self._reader.value(raw)
            found = pack_pair(key, as_text(value))
            if len(raw) <= _LONG_BYTES:
                if len(self._packed) >= MAX_REMEMBERED:
                    self._packed.clear()
                self._packed[raw] = found
        return found


def _origin(service: str, resource: str, raw_scope: bytes) -> LogOrigin:
    try:
        name, version = (text[:255].replace(FIELD, " ") for text in scope(raw_scope))
    except DecodeError:
        name = version = ""
    return LogOrigin(service=service, resource=resource, scope_name=name, scope_version=version)


def _ids(message: Any, flaws: Flaws) -> tuple[str, str]:
    """Return the ids of trace and span; a line whose ids are none is kept without them."""
    trace_id, span_id = message.trace_id, message.span_id
    if not trace_id and not span_id:
        return "", ""
    if len(trace_id) != 16 or len(span_id) not in (0, 8):
        flaws.warn(
            "invalidIds",
            f"trace_id {trace_id.hex()[:64]!r}, span_id {span_id.hex()[:64]!r}: 16 and 8 bytes are"
            " meant; the line is kept without them",
        )
        return "", ""
    if not any(trace_id):
        return "", ""
    return trace_id.hex(), span_id.hex() if any(span_id) else ""

"""Batches of log records as records of the write-ahead log: JSON, columns as they are."""

from __future__ import annotations

import numpy as np
import orjson

from collectors.errors import StorageError
from collectors.log_batch import LogBatch, LogOrigin

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def encode_batch(batch: LogBatch, mark: str) -> bytes:
    """Return one record holding ``batch``, which is told from all others by its mark."""
    document = {
        "mark": mark,
        "origins": [
            [origin.service, origin.resource, origin.scope_name, origin.scope_version]
            for origin in batch.origins
        ],
        "origin": np.ascontiguousarray(batch.origin),
        "time": np.ascontiguousarray(batch.time_ns),
        "severity": np.ascontiguousarray(batch.severity),
        "flags": np.ascontiguousarray(batch.flags),
        "texts": [
            *(batch.levels, batch.bodies, batch.attributes, batch.trace_ids, batch.span_ids),
        ],
    }
    try:
        return orjson.dumps(document, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        message = f"{len(batch)} log records can't be written to the log: {error}"
        raise StorageError(message) from error


def decode_batch(record: bytes) -> tuple[str, LogBatch]:
    """Return the mark and the lines of a record; raise :class:`StorageError` if damaged."""
    try:
        document = orjson.loads(record)
        levels, bodies, attributes, traces, spans = document["texts"]
        flags = document.get("flags") or [0] * len(bodies)  # records of earlier versions have none
        batch = LogBatch(
            origins=[
                LogOrigin(
                    service=service, resource=resource, scope_name=name, scope_version=version
                )
                for service, resource, name, version in document["origins"]
            ],
            origin=np.array(document["origin"], np.int32),
            time_ns=np.array(document["time"], np.int64),
            severity=np.array(document["severity"], np.uint8),
            levels=levels,
            bodies=bodies,
            attributes=attributes,
            trace_ids=traces,
            span_ids=spans,
            flags=np.array(flags, np.uint8),
        )
        return str(document["mark"]), batch
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise StorageError(f"a log record of {len(record)} bytes is damaged: {error}") from error

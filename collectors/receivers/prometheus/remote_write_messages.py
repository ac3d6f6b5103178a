"""Prometheus remote-write messages, described in code.

Field numbers follow ``prompb/remote.proto`` and ``types.proto`` (1.0) and
``io/prometheus/write/v2/types.proto`` (2.0). Labels of 1.0 are declared ``bytes``: their raw form
is the key of everything that is known about a series. So are texts, as one that is not UTF-8 must
not cost the whole request.
"""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError

from collectors.errors import DecodeError
from collectors.receivers.wire_schema import message_classes

_SCHEMA = {
    "WriteRequest": {"timeseries": (1, "TimeSeries*"), "metadata": (3, "MetricMetadata*")},
    "TimeSeries": {
        "labels": (1, "bytes*"),
        "samples": (2, "Sample*"),
        "exemplars": (3, "Exemplar*"),
        "histograms": (4, "Histogram*"),
    },
    # The same for reading: parts that may be wrong without costing the rest stay bytes.
    "WriteRequestParts": {"timeseries": (1, "TimeSeriesParts*"), "metadata": (3, "bytes*")},
    "TimeSeriesParts": {
        "labels": (1, "bytes*"),
        "samples": (2, "Sample*"),
        "exemplars": (3, "bytes*"),
        "histograms": (4, "bytes*"),
    },
    "BucketSpan": {"offset": (1, "sint32"), "length": (2, "uint32")},
    "Histogram": {
        "count_int": (1, "uint64|count"),
        "count_float": (2, "double|count"),
        "sum": (3, "double"),
        "schema": (4, "sint32"),
        "zero_threshold": (5, "double"),
        "zero_count_int": (6, "uint64|zero_count"),
        "zero_count_float": (7, "double|zero_count"),
        "negative_spans": (8, "BucketSpan*"),
        "negative_deltas": (9, "sint64*"),
        "negative_counts": (10, "double*"),
        "positive_spans": (11, "BucketSpan*"),
        "positive_deltas": (12, "sint64*"),
        "positive_counts": (13, "double*"),
        "reset_hint": (14, "int32"),
        "timestamp": (15, "int64"),
        "custom_values": (16, "double*"),
        "start_timestamp": (17, "int64"),
    },
    "Label": {"name": (1, "bytes"), "value": (2, "bytes")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "Exemplar": {"labels": (1, "bytes*"), "value": (2, "double"), "timestamp": (3, "int64")},
    "MetricMetadata": {"type": (1, "int32"), "metric_family_name": (2, "string")},
    "MetricMetadataParts": {"type": (1, "int32"), "metric_family_name": (2, "bytes")},
    "RequestV2": {"symbols": (4, "bytes*"), "timeseries": (5, "TimeSeriesV2*")},
    "TimeSeriesV2": {
        "labels_refs": (1, "uint32*"),
        "samples": (2, "SampleV2*"),
        "histograms": (3, "Histogram*"),
        "exemplars": (4, "ExemplarV2*"),
        "metadata": (5, "MetadataV2"),
        "created_timestamp": (6, "int64"),  # as 2.0-rc senders have it, later in every sample
    },
    "RequestV2Parts": {"symbols": (4, "bytes*"), "timeseries": (5, "TimeSeriesV2Parts*")},
    "TimeSeriesV2Parts": {
        "labels_refs": (1, "uint32*"),
        "samples": (2, "SampleV2*"),
        "histograms": (3, "bytes*"),
        "exemplars": (4, "bytes*"),
        "metadata": (5, "MetadataV2"),
        "created_timestamp": (6, "int64"),
    },
    "SampleV2": {
        "value": (1, "double"),
        "timestamp": (2, "int64"),
        "start_timestamp": (3, "int64"),
    },
    "ExemplarV2": {
        "labels_refs": (1, "uint32*"),
        "value": (2, "double"),
        "timestamp": (3, "int64"),
    },
    "MetadataV2": {"type": (1, "int32"), "help_ref": (3, "uint32"), "unit_ref": (4, "uint32")},
}
_PACKAGE = "tocsin.remote_write"


def message_class(name: str) -> Any:
    """Return the protobuf class of a message of the schema, such as ``WriteRequest``."""
    return _classes()[name]


def parse(name: str, body: bytes) -> Any:
    """Parse a message of the schema; raise :class:`DecodeError` for other bytes."""
    try:
        return message_class(name).FromString(body)
    except ProtobufDecodeError as error:
        raise DecodeError(f"the body of {len(body)} bytes is not a {name}: {error}") from error


@functools.cache
def _classes() -> dict[str, Any]:
    return message_classes(_PACKAGE, _SCHEMA)

"""OTLP messages as protobuf classes whose attributes stay raw bytes.

The classes are derived at first use from the official descriptors of ``opentelemetry-proto``:
every field of type ``KeyValue``, ``Resource`` or ``InstrumentationScope`` is declared ``bytes``
instead, which is the same on the wire. The C parser then leaves attributes alone, and the raw
bytes serve as a dictionary key for everything already known about them.
"""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError as ProtobufDecodeError

from collectors.errors import DecodeError
from collectors.receivers.otlp.units import Flaws
from collectors.receivers.otlp.wire_mending import Mender
from collectors.receivers.work.budget import Budget

_PACKAGE = "opentelemetry.proto"
_RAW_TYPES = frozenset(
    f".{_PACKAGE}.{name}"
    for name in ("common.v1.KeyValue", "common.v1.InstrumentationScope", "resource.v1.Resource")
)


def metrics_request(body: bytes, flaws: Flaws, budget: Budget) -> Any:
    """Parse an ``ExportMetricsServiceRequest``, without what is wrong in it.

    Raises:
        DecodeError: The bytes are not such a message.
        TooLargeError: The budget is used up.
    """
    return _request("collector.metrics.v1.ExportMetricsServiceRequest", body, flaws, budget)


def trace_request(body: bytes, flaws: Flaws, budget: Budget) -> Any:
    """Parse an ``ExportTraceServiceRequest``, as :func:`metrics_request`."""
    return _request("collector.trace.v1.ExportTraceServiceRequest", body, flaws, budget)


def logs_request(body: bytes, flaws: Flaws, budget: Budget) -> Any:
    """Parse an ``ExportLogsServiceRequest``, as :func:`metrics_request`."""
    return _request("collector.logs.v1.ExportLogsServiceRequest", body, flaws, budget)


def resource_attributes(raw: bytes) -> Any:
    """Parse a ``Resource`` and return its attributes, each as raw ``KeyValue`` bytes."""
    return _parse("resource.v1.Resource", raw).attributes


def scope(raw: bytes) -> tuple[str, str]:
    """Parse an ``InstrumentationScope`` and return its name and version."""
    message = _parse("common.v1.InstrumentationScope", raw)
    return message.name, message.version


@functools.lru_cache(maxsize=4_096)
def scope_identity(raw: bytes) -> tuple[bytes, str]:
    """Return what tells an ``InstrumentationScope`` from others, and its name.

    Attributes in another order are the same; a scope that can't be read is its bytes.
    """
    try:
        message = _parse("common.v1.InstrumentationScope", raw)
    except DecodeError:
        return raw, ""
    parts = (message.name.encode(), message.version.encode(), *sorted(message.attributes))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts), message.name


def _request(name: str, body: bytes, flaws: Flaws, budget: Budget) -> Any:
    found = _message_class(f"{_PACKAGE}.{name}")
    try:
        return found.FromString(body)
    except ProtobufDecodeError as error:
        try:
            mended = Mender(_parse_as, flaws, budget).mend(found.DESCRIPTOR, body)
        except DecodeError as damage:
            raise _not_such(name, body, damage.message) from error
        return found.FromString(mended)


def _parse_as(descriptor: Any, raw: bytes) -> Any:
    return _message_class(descriptor.full_name).FromString(raw)


def _not_such(name: str, body: bytes, why: object) -> DecodeError:
    shape = name.rpartition(".")[2]
    return DecodeError(f"the body of {len(body)} bytes is not a protobuf {shape}: {why}")


def _parse(name: str, body: bytes) -> Any:
    try:
        return _message_class(f"{_PACKAGE}.{name}").FromString(body)
    except ProtobufDecodeError as error:
        raise _not_such(name, body, error) from error


@functools.cache
def _message_class(full_name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(full_name))


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    from opentelemetry.proto.common.v1 import common_pb2
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.metrics.v1 import metrics_pb2
    from opentelemetry.proto.resource.v1 import resource_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2

    pool = descriptor_pool.DescriptorPool()
    for module in (
        common_pb2,
        resource_pb2,
        metrics_pb2,
        trace_pb2,
        logs_pb2,
        metrics_service_pb2,
        trace_service_pb2,
        logs_service_pb2,
    ):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _leave_raw(message)
        pool.Add(file)
    return pool


def _leave_raw(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        if field.type_name in _RAW_TYPES:
            field.ClearField("type_name")
            field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
    for nested in message.nested_type:
        _leave_raw(nested)

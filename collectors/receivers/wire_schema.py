"""Protobuf messages described in code, for protocols whose classes nobody ships.

A schema maps a message to its fields, a field to its number and type: a trailing ``*`` repeats, a
capital letter names a message, and what follows ``|`` is the oneof that the field belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Schema = Mapping[str, Mapping[str, tuple[int, str]]]

_Kind = descriptor_pb2.FieldDescriptorProto
_MANY = "*"
_TYPES = {
    "bool": _Kind.TYPE_BOOL,
    "bytes": _Kind.TYPE_BYTES,
    "double": _Kind.TYPE_DOUBLE,
    "fixed64": _Kind.TYPE_FIXED64,
    "int32": _Kind.TYPE_INT32,
    "int64": _Kind.TYPE_INT64,
    "sint32": _Kind.TYPE_SINT32,
    "sint64": _Kind.TYPE_SINT64,
    "string": _Kind.TYPE_STRING,
    "uint32": _Kind.TYPE_UINT32,
    "uint64": _Kind.TYPE_UINT64,
}


def message_classes(package: str, schema: Schema) -> dict[str, Any]:
    """Return the protobuf class of each message of a schema, by its name."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package.replace('.', '/')}.proto", package=package, syntax="proto3"
    )
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            _add_field(message, package, field_name, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in schema
    }


def _add_field(message: Any, package: str, name: str, number: int, kind: str) -> None:
    field = message.field.add(name=name, number=number)
    kind, _, oneof = kind.partition("|")
    field.label = _Kind.LABEL_REPEATED if kind.endswith(_MANY) else _Kind.LABEL_OPTIONAL
    single = kind.removesuffix(_MANY)
    if single in _TYPES:
        field.type = _TYPES[single]
    else:
        field.type = _Kind.TYPE_MESSAGE
        field.type_name = f".{package}.{single}"
    if oneof:
        names = [declared.name for declared in message.oneof_decl]
        if oneof not in names:
            message.oneof_decl.add(name=oneof)
            names.append(oneof)
        field.oneof_index = names.index(oneof)

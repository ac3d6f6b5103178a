"""What every OpenSLO document starts with: apiVersion, kind and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anomaly.documents import Node
from anomaly.fields import Section, items, matching, nonempty, shown, text
from anomaly.slo.documents.openslo import Metadata

API_VERSION = "openslo/v1"

_strict_name = matching(
    r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "an RFC 1123 label (lower-case letters, digits and dashes, at most 63)",
)
_lenient_name = matching(
    r"[a-z0-9][a-z0-9.|/\\-]{0,254}",
    "a name of lower-case letters, digits, dots and dashes, at most 255",
)
_label_key = matching(
    r"([a-z0-9.-]{1,253}/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?",
    "a label key (letters, digits, dashes, dots, at most 63, with an optional domain/)",
)


def name(node: Node, *, strict: bool) -> str:
    """Read an object's name or a reference to one."""
    return _strict_name(node) if strict else _lenient_name(node)


def metadata(node: Node, *, strict: bool) -> Metadata:
    """Read ``metadata``."""
    section = Section(node)
    result = Metadata(
        name=section.required("name", lambda n: name(n, strict=strict)),
        display_name=section.optional("displayName", lambda n: _display_name(n, strict=strict)),
        labels=section.optional("labels", _labels) or {},
        annotations=section.optional("annotations", _annotations) or {},
    )
    section.finish()
    return result


def _display_name(node: Node, *, strict: bool) -> str:
    value = nonempty(node)
    if strict and len(value) > 63:
        node.fail(f"{len(value)} characters, at most 63 are allowed")
    return value


def _labels(node: Node) -> Mapping[str, Sequence[str]]:
    section = Section(node)
    labels: dict[str, Sequence[str]] = {}
    for key in section.names():
        _check_key(node, key)
        labels[key] = section.required(key, _label_values)
    return labels


def _label_values(node: Node) -> Sequence[str]:
    if node.tag == "seq":
        return tuple(text(item) for item in items(node))
    return (text(node),)


def _annotations(node: Node) -> Mapping[str, Node]:
    section = Section(node)
    annotations: dict[str, Node] = {}
    for key in section.names():
        _check_key(node, key)
        annotations[key] = section.required(key, _annotation)
    return annotations


def _annotation(node: Node) -> Node:
    if node.tag in ("map", "seq"):
        node.fail(f"an annotation must be text, got {shown(node)}")
    return node


def _check_key(node: Node, key: str) -> None:
    place = f"{node.path}.{key}"
    _label_key(Node(value=key, tag="str", file=node.file, line=node.line, path=place))

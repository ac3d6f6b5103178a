"""OpenSLO text in, objects out; every mistake with its file, line and field.

*Strict* follows the reference SDK's rules. *Lenient* also takes what the specification's own
examples contain: a bare name as alert policy, ``operator`` beside a condition, a condition without
``op``, ratio objectives with ``op``, no time window. Unknown fields are refused in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anomaly.documents import Node, read_documents
from anomaly.fields import Section, description, nonempty, one_of, text
from anomaly.slo.documents.alert_reader import alert_condition, alert_policy, notification_target
from anomaly.slo.documents.headers import API_VERSION, metadata
from anomaly.slo.documents.openslo import DataSource, OpenSloObject, Service
from anomaly.slo.documents.sli_reader import sli
from anomaly.slo.documents.slo_reader import slo


def read_openslo(source: str, *, file: str, strict: bool = False) -> Sequence[OpenSloObject]:
    """Return the OpenSLO objects in ``source`` (YAML or JSON, one or several documents).

    Raises:
        DocumentError: The first mistake found.
    """
    return tuple(read_object(node, strict=strict) for node in read_documents(source, file))


def read_object(node: Node, *, strict: bool = False) -> OpenSloObject:
    """Return the OpenSLO object that ``node`` is."""
    document = Section(node)
    document.required("apiVersion", _api_version)
    kind = document.required("kind", one_of(*_READERS))
    result = _READERS[kind](document, strict=strict)
    document.finish()
    return result


def _api_version(node: Node) -> str:
    value = text(node)
    if value != API_VERSION:
        node.fail(f"must be {API_VERSION}, got {value!r}")
    return value


def _service(document: Section, *, strict: bool) -> Service:
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    words = spec.optional("description", description) or ""
    spec.finish()
    return Service(metadata=meta, description=words)


def _data_source(document: Section, *, strict: bool) -> DataSource:
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    result = DataSource(
        metadata=meta,
        description=spec.optional("description", description) or "",
        type=spec.required("type", nonempty),
        connection=spec.required("connectionDetails", lambda n: n),
    )
    spec.finish()
    return result


_READERS: Mapping[str, Callable[..., OpenSloObject]] = {
    "SLO": slo,
    "SLI": sli,
    "Service": _service,
    "DataSource": _data_source,
    "AlertPolicy": alert_policy,
    "AlertCondition": alert_condition,
    "AlertNotificationTarget": notification_target,
}

"""OpenSLO text in, documents out; every mistake with its file, line and field.

The shapes are those of OpenSLO v1 (https://github.com/OpenSLO/OpenSLO). *Strict* follows the
reference SDK's rules. *Lenient* also takes what the specification's own examples contain: a bare
name as alert policy, ``operator`` beside a condition, a condition without ``op``, ratio objectives
with ``op``, no time window. Unknown fields are refused in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from anomaly.slo.documents.alerts import AlertCondition, AlertNotificationTarget, AlertPolicy
from anomaly.slo.documents.indicators import Sli
from anomaly.slo.documents.metadata import Described, OpenSloDocument, OpenSloSection
from anomaly.slo.documents.objectives import Slo
from collectors.documents.composing import compose
from collectors.documents.nodes import Node, Scalar, Table
from collectors.documents.reading import flattened, read_all, validated
from collectors.documents.section import PLAIN, Context
from collectors.documents.values import Anything, PureWords, one_of

OpenSloObject = OpenSloDocument


class Service(OpenSloDocument):
    """Something that SLOs are about."""

    kind: Annotated[Literal["Service"], one_of(("Service",))]
    """What it is."""
    spec: Described
    """What it is about."""


class DataSourceSpec(Described):
    """How a source is reached."""

    type: PureWords
    """Kind of source."""
    connection_details: Anything
    """The source's own business."""


class DataSource(OpenSloDocument):
    """A named source that metric sources refer to."""

    kind: Annotated[Literal["DataSource"], one_of(("DataSource",))]
    """What it is."""
    spec: DataSourceSpec
    """How it is reached."""


KINDS: Mapping[str, type[OpenSloDocument]] = {
    "SLO": Slo,
    "SLI": Sli,
    "Service": Service,
    "DataSource": DataSource,
    "AlertPolicy": AlertPolicy,
    "AlertCondition": AlertCondition,
    "AlertNotificationTarget": AlertNotificationTarget,
}


class _Header(OpenSloSection):
    """What tells the kind of a document; the rest is not looked at."""

    api_version: Anything = None
    kind: Annotated[str, one_of(tuple(KINDS))]
    metadata: Anything = None
    spec: Anything = None


def read_openslo(source: str, *, file: str, context: Context = PLAIN) -> Sequence[OpenSloDocument]:
    """Return the documents in ``source`` (YAML or JSON, one or several, lists of them too).

    Raises:
        DocumentError: All mistakes found.
    """
    composed = flattened(compose(source, file))
    return tuple(read_all(composed, lambda node: _read(node, context)))


def _read(node: Node, context: Context) -> OpenSloDocument:
    kind = node.get("kind") if isinstance(node, Table) else None
    model = KINDS.get(kind.text) if isinstance(kind, Scalar) else None
    if model is None:
        validated(node, _Header, context)
        raise node.place.error("is of no known kind")
    return validated(node, model, context)

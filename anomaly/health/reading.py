"""Reading ``health/*.yaml``; nothing needs to be written there.

::

    apiVersion: tocsin/v1
    kind: Health
    metadata:
      name: health
    spec:
      findings: ticket
      ignore: [batch-import]
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from anomaly.findings import Urgency
from anomaly.health.definition import HealthDefinition
from anomaly.slo.documents.metadata import Metadata
from collectors.documents.composing import compose
from collectors.documents.reading import Mistakes, files_of, flattened, read_all, text_of, validated
from collectors.documents.section import PLAIN, Context, Section
from collectors.documents.values import PureWords, one_of

_NONE = "none"


class HealthSpec(Section):
    """What a red service means, and which services are left out."""

    findings: Annotated[str, one_of((*Urgency, _NONE))] = Urgency.TICKET
    """What a service means that is red by itself and that no objective covers: `page`, `ticket`,
    `info` (recorded, nobody is told), or `none`."""
    ignore: tuple[PureWords, ...] = ()
    """Names of services of which nothing is said."""


class HealthFile(Section):
    """`health/*.yaml`: settings of learned health."""

    api_version: Annotated[Literal["tocsin/v1"], one_of(("tocsin/v1",))] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["Health"], one_of(("Health",))]
    """What it is."""
    metadata: Metadata
    """Its name, labels, annotations."""
    spec: HealthSpec
    """What is set."""


def load_health(directory: Path, context: Context = PLAIN) -> tuple[HealthDefinition, ...]:
    """Return the settings in ``directory``: one definition, that of no document if there is none.

    Raises:
        DocumentError: All mistakes of all files, or there are several documents.
    """
    mistakes, found = Mistakes(), list[HealthFile]()
    for file in files_of(directory):
        with mistakes.kept():
            composed = flattened(compose(text_of(file), str(file)))
            found += read_all(composed, lambda node: validated(node, HealthFile, context))
    for extra in found[1:]:
        first = f"{found[0].place.file}:{found[0].place.line}"
        mistakes.errors.append(extra.place.error(f"health is set by {first}: keep one document"))
    mistakes.raise_any()
    return (_definition(found[0]),) if found else (HealthDefinition(),)


def _definition(document: HealthFile) -> HealthDefinition:
    spec = document.spec
    return HealthDefinition(
        name=document.metadata.name,
        urgency=None if spec.findings == _NONE else Urgency(spec.findings),
        ignored=frozenset(spec.ignore),
        source=f"{document.place.file}:{document.place.line}",
    )

"""Reading detector rules from YAML; every mistake with its file, line and field.

::

    apiVersion: tocsin/v1
    kind: Detector
    metadata:
      name: sps-by-region
      displayName: Stream starts by region
    spec:
      expr: name,stream.starts,:eq,outcome,success,:eq,:and,:sum
      group_by: [cloud.region]
      detector: counts
      direction: low
      urgency: page
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    create_model,
)

from anomaly.detectors.detector import Direction
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.parameters import Parameters, Setting, settings_of
from anomaly.detectors.registry import detectors
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Urgency
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.slo.documents.metadata import Description, Metadata
from collectors.documents.composing import compose
from collectors.documents.nodes import Node, Scalar, Table
from collectors.documents.reading import flattened, read_all, validated
from collectors.documents.section import PLAIN, Context, Section
from collectors.documents.values import (
    Anything,
    BareFlag,
    BareNumber,
    PureWords,
    between,
    checked_expression,
    one_of,
    read_bare_number,
    read_word,
    whole,
)
from collectors.errors import DocumentError

API_VERSION = "tocsin/v1"
_IGNORE = "ignore"


def _name(raw: object) -> str:
    return read_word(raw, tuple(detectors()))


class DetectorSpec(Section):
    """What is watched, by which detector, and what a finding means."""

    expr: Annotated[PureWords, checked_expression()]
    """Expression in the stack language; each of its lines is judged by itself."""
    group_by: tuple[PureWords, ...] = ()
    """Keys that tell the lines apart; appended to `expr` unless it groups already."""
    description: Description = ""
    """At most 1,050 characters."""
    unit: PureWords = "1/s"
    """Unit of the values, for people: `1/s`, `ratio`, `s`."""
    urgency: Annotated[Urgency, one_of(tuple(Urgency))] = Urgency.TICKET
    """What an anomaly means."""
    when_missing: Annotated[str, one_of((_IGNORE, *Urgency))] = Urgency.TICKET
    """What it means that a line stops."""
    scope: dict[str, PureWords] = {}
    """Tags that every finding carries besides its group."""
    exemplar_errors: BareFlag | None = None
    """Attach erroneous traces; true unless slow ones are wanted."""
    exemplar_min_duration_ms: BareNumber | None = None
    """Attach traces that took at least so long."""
    exemplar_service: PureWords | None = None
    """Service that an attached trace must pass through."""
    detector: Annotated[str, BeforeValidator(_name)]
    """How it is judged; each detector has settings of its own."""
    direction: Annotated[Direction, one_of(tuple(Direction))] = Direction.BOTH
    """Which side is wrong."""


class SettledSpec(DetectorSpec):
    """A spec with the settings of its detector; there is a model for each."""

    KIND: ClassVar[DetectorKind[Any]]

    def parameters(self) -> Parameters:
        """Return the settings."""
        given: dict[str, Any] = {"direction": self.direction}
        for each in settings_of(self.KIND.parameters):
            value = getattr(self, each.name)
            if value is not None:
                given[each.name] = int(value) if each.whole else float(value)
        parameters: Parameters = self.KIND.parameters(**given)
        return parameters

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a setting that contradicts another."""
        del context
        contradiction = self.parameters().contradiction()
        if contradiction is not None:
            name, message = contradiction
            yield self.at(name).error(message)

    @classmethod
    def missing_field(cls, name: str) -> str:
        """Say what is missing."""
        needed = {each.name: each.required for each in settings_of(cls.KIND.parameters)}
        reason = f" for {cls.KIND.name}: {needed[name]}" if needed.get(name) else ""
        return super().missing_field(name) + reason

    @classmethod
    def unknown_field(cls, name: str) -> str | None:
        """Say of a setting of another detector that this one would not heed it."""
        kinds = detectors().values()
        if name not in {each.name for kind in kinds for each in settings_of(kind.parameters)}:
            return super().unknown_field(name)
        own = ", ".join(each.name for each in settings_of(cls.KIND.parameters))
        return f"is not a setting of {cls.KIND.name}; it has direction, {own}"


class DetectorFile(Section):
    """`detectors/*.yaml`: what should stay as usual."""

    api_version: Annotated[Literal["tocsin/v1"], one_of((API_VERSION,))] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["Detector"], one_of(("Detector",))]
    """What it is."""
    metadata: Metadata
    """Its name, labels, annotations."""
    spec: DetectorSpec
    """What is watched."""


class SettledFile(DetectorFile):
    """A document with the settings of its detector."""

    spec: SettledSpec
    """What is watched."""


def read_rules(
    source: str, *, file: str, context: Context = PLAIN
) -> tuple[DetectorDefinition, ...]:
    """Return the detector rules in ``source``.

    Args:
        source: YAML or JSON, one or several documents, lists of them too.
        file: Path for messages.
        context: Whether expressions are parsed.

    Raises:
        DocumentError: All mistakes found.
    """
    composed = flattened(compose(source, file))
    return tuple(read_all(composed, lambda node: _rule(node, context)))


def detector_files() -> Mapping[str, type[SettledFile]]:
    """Return the shape of a document for each detector."""
    return {kind.name: _file_model(kind) for kind in detectors().values()}


def _rule(node: Node, context: Context) -> DetectorDefinition:
    model = detector_files().get(_detector_of(node))
    if model is None:
        validated(node, _undecided_file(), context)
        raise node.place.error("names no detector")
    document = validated(node, model, context)
    spec = document.spec
    return DetectorDefinition(
        name=document.metadata.name,
        display_name=document.metadata.display_name or document.metadata.name,
        description=spec.description,
        expr=_grouped(spec),
        group_by=spec.group_by,
        unit=spec.unit,
        detector=spec.detector,
        parameters=spec.parameters(),
        urgency=spec.urgency,
        when_missing=None if spec.when_missing == _IGNORE else Urgency(spec.when_missing),
        scope=spec.scope,
        evidence=_evidence(spec),
        source=f"{document.place.file}:{document.place.line}",
    )


def _grouped(spec: DetectorSpec) -> str:
    words = [word.strip() for word in spec.expr.split(",")]
    if spec.group_by and ":by" not in words:
        words += ["(", *spec.group_by, ")", ":by"]
    return ",".join(words)


def _evidence(spec: DetectorSpec) -> Evidence:
    slow_ms = spec.exemplar_min_duration_ms
    return Evidence(
        errors=slow_ms is None if spec.exemplar_errors is None else spec.exemplar_errors,
        min_duration_ms=None if slow_ms is None else float(slow_ms),
        service=spec.exemplar_service,
    )


def _detector_of(node: Node) -> str:
    """Return the detector that a document names, empty when it names none."""
    spec = node.get("spec") if isinstance(node, Table) else None
    name = spec.get("detector") if isinstance(spec, Table) else None
    return name.text if isinstance(name, Scalar) else ""


def _undecided_file() -> type[DetectorFile]:
    """Return the shape of a document whose detector is not known, nor which settings it needs."""
    kinds = detectors().values()
    settings = {each.name for kind in kinds for each in settings_of(kind.parameters)}
    fields: dict[str, Any] = dict.fromkeys(settings, (Anything, None))
    spec = create_model("UndecidedSpec", __base__=DetectorSpec, **fields)
    file: type[DetectorFile] = create_model(
        "UndecidedFile", __base__=DetectorFile, spec=(spec, ...)
    )
    return file


@cache
def _file_model(kind: DetectorKind[Any]) -> type[SettledFile]:
    fields: dict[str, Any] = {
        each.name: (_number(each), ... if each.required else None)
        for each in settings_of(kind.parameters)
    }
    names = (kind.name,)
    fields["detector"] = (Annotated[Literal[names], one_of(names)], ...)
    spec = create_model(
        f"{kind.name.title()}Spec", __base__=SettledSpec, __doc__=DetectorSpec.__doc__, **fields
    )
    spec.KIND = kind
    file: type[SettledFile] = create_model(
        f"{kind.name.title()}File",
        __base__=SettledFile,
        __doc__=DetectorFile.__doc__,
        spec=(spec, ...),
    )
    return file


def _number(each: Setting) -> Any:
    """Return the type of a setting: a number within its bounds."""
    kind = "integer" if each.whole else "number"
    schema = {"type": kind, "minimum": each.low, "maximum": each.high}
    checks = [AfterValidator(whole)] if each.whole else []
    checks.append(between(each.low, each.high))
    number = Annotated[Any, PlainValidator(read_bare_number), *checks, WithJsonSchema(schema)]
    return number if each.required else number | None

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
from dataclasses import fields as fields_of
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
from anomaly.evidence.near_changes import LOOK_BACK_MS
from anomaly.findings import Urgency
from anomaly.promql.query_field import Query
from anomaly.promql.written import as_expression, grouped, grouping_of
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.slo.documents.metadata import Description, Metadata
from anomaly.slo.documents.objectives import TimeZone
from collectors.documents.composing import compose
from collectors.documents.nodes import Node, Scalar, Table
from collectors.documents.reading import flattened, read_all, validated
from collectors.documents.section import PLAIN, Context, Section, WrongValueError
from collectors.documents.values import (
    Anything,
    BareFlag,
    BareNumber,
    DurationMs,
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
_UNNAMED = "novelty"
"""The detector of a document that names none: it needs nothing to be known of a series."""


def _name(raw: object) -> str:
    return read_word(raw, tuple(detectors()))


def _at_most_an_hour(length_ms: int) -> int:
    # Older changes are none of what came before a finding.
    if length_ms > LOOK_BACK_MS:
        raise WrongValueError("at most 1h")
    return length_ms


def _has_zone(kind: DetectorKind[Any]) -> bool:
    return any(each.name == "zone" for each in fields_of(kind.parameters))


class DetectorSpec(Section):
    """What is watched, by which detector, and what a finding means."""

    expr: Annotated[PureWords, checked_expression()] | None = None
    """Expression in the stack language; each of its lines is judged by itself."""
    promql: Query | None = None
    """The same in PromQL, instead of `expr`."""
    of: Annotated[PureWords, checked_expression()] | None = None
    """Expression of how many they are a part, for a detector of proportions."""
    of_promql: Query | None = None
    """The same in PromQL, instead of `of`."""
    group_by: tuple[PureWords, ...] = ()
    """Keys that tell the lines apart; appended to `expr` unless it groups already. A PromQL query
    that groups `by` labels says so itself."""
    description: Description = ""
    """At most 1,050 characters."""
    unit: PureWords = "1/s"
    """Unit of the values, for people: `1/s`, `ratio`, `s`."""
    urgency: Annotated[Urgency, one_of(tuple(Urgency))] = Urgency.TICKET
    """What an anomaly means."""
    when_missing: Annotated[str, one_of((_IGNORE, *Urgency))] = Urgency.TICKET
    """What it means that a line stops."""
    settle: Annotated[DurationMs, AfterValidator(_at_most_an_hour)] = 0
    """After a change that is announced for its service, how long an anomaly wakes nobody. It is a
    ticket that says so meanwhile; what still fires then pages."""
    scope: dict[str, PureWords] = {}
    """Tags that every finding carries besides its group."""
    exemplar_errors: BareFlag | None = None
    """Attach erroneous traces; true unless slow ones are wanted."""
    exemplar_min_duration_ms: BareNumber | None = None
    """Attach traces that took at least so long."""
    exemplar_service: PureWords | None = None
    """Service that an attached trace must pass through."""
    detector: Annotated[str, BeforeValidator(_name)] = _UNNAMED
    """How it is judged; each detector has settings of its own."""
    zone: TimeZone | None = None
    """For `seasonal`: whose clock the season follows, such as `Europe/Berlin` (UTC)."""
    direction: Annotated[Direction, one_of(tuple(Direction))] = Direction.BOTH
    """Which side is wrong."""


class SettledSpec(DetectorSpec):
    """A spec with the settings of its detector; there is a model for each."""

    KIND: ClassVar[DetectorKind[Any]]

    def parameters(self) -> Parameters:
        """Return the settings."""
        given: dict[str, Any] = {"direction": self.direction}
        if self.zone is not None and _has_zone(self.KIND):
            given["zone"] = self.zone
        for each in settings_of(self.KIND.parameters):
            value = getattr(self, each.name)
            if value is not None:
                given[each.name] = int(value) if each.whole else float(value)
        parameters: Parameters = self.KIND.parameters(**given)
        return parameters

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a setting that contradicts another."""
        del context
        if (self.expr is None) == (self.promql is None):
            yield self.place.error("exactly one of expr and promql must be given")
        if self.of is not None and self.of_promql is not None:
            yield self.at("of").error("can't stand beside of_promql: keep one")
        whole = self.of or self.of_promql
        if self.KIND.volume and whole is None:
            yield self.at("of").error(
                f"is missing; {self.KIND.name} needs the expression of how many `expr` is a part"
            )
        if whole is not None and not self.KIND.volume:
            yield self.at("of").error(
                f"is not heeded by {self.KIND.name}; the detector proportion needs it"
            )
        if self.zone is not None and not _has_zone(self.KIND):
            yield self.at("zone").error(f"is not heeded by {self.KIND.name}; seasonal follows it")
        contradiction = self.parameters().contradiction()
        if contradiction is not None:
            name, message = contradiction
            yield self.at(name).error(message)

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
    keys = spec.group_by or (grouping_of(spec.promql) if spec.promql else ())
    return DetectorDefinition(
        name=document.metadata.name,
        display_name=document.metadata.display_name or document.metadata.name,
        description=spec.description,
        expr=_asked(keys, spec.expr, spec.promql),
        of=_asked(keys, spec.of, spec.of_promql),
        group_by=keys,
        unit=spec.unit,
        detector=spec.detector,
        parameters=spec.parameters(),
        urgency=spec.urgency,
        when_missing=None if spec.when_missing == _IGNORE else Urgency(spec.when_missing),
        scope=spec.scope,
        evidence=_evidence(spec),
        source=f"{document.place.file}:{document.place.line}",
        settle_ms=spec.settle,
    )


def _asked(keys: tuple[str, ...], expression: str | None, query: str | None) -> str:
    """Return what is asked in either language, its lines told apart by keys; "" for nothing."""
    if query is not None:
        return as_expression(grouped(query, keys))
    if expression is None:
        return ""
    words = [word.strip() for word in expression.split(",")]
    if keys and ":by" not in words:
        words += ["(", *keys, ")", ":by"]
    return ",".join(words)


def _evidence(spec: DetectorSpec) -> Evidence:
    slow_ms = spec.exemplar_min_duration_ms
    return Evidence(
        errors=slow_ms is None if spec.exemplar_errors is None else spec.exemplar_errors,
        min_duration_ms=None if slow_ms is None else float(slow_ms),
        service=spec.exemplar_service,
    )


def _detector_of(node: Node) -> str:
    """Return the detector that a document names, empty when what it names can be none."""
    spec = node.get("spec") if isinstance(node, Table) else None
    name = spec.get("detector") if isinstance(spec, Table) else None
    if name is None:
        return _UNNAMED
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
        each.name: (_number(each), None) for each in settings_of(kind.parameters)
    }
    names = (kind.name,)
    unnamed = kind.name if kind.name == _UNNAMED else ...
    fields["detector"] = (Annotated[Literal[names], one_of(names)], unnamed)
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
    return number | None

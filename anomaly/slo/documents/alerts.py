"""Alert policies, their conditions and their targets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Tag

from anomaly.slo.documents.duration import Duration, Length, LengthOrNone
from anomaly.slo.documents.metadata import (
    Described,
    Metadata,
    Name,
    OpenSloDocument,
    OpenSloSection,
    unknown_when_strict,
)
from collectors.documents.nodes import Scalar, Table
from collectors.documents.section import Context
from collectors.documents.values import BareFlag, BareNumber, PureWords, at_least_one, one_of
from collectors.errors import DocumentError

_Version = Annotated[Literal["openslo/v1"], one_of(("openslo/v1",))]


class BurnRate(OpenSloSection):
    """How fast the budget is used up."""

    kind: Annotated[Literal["burnrate"], one_of(("burnrate",))]
    """The only kind."""
    op: Annotated[Literal["lte", "gte", "lt", "gt"], one_of(("lte", "gte", "lt", "gt"))] | None = (
        None
    )
    """How it is compared; gte by default."""
    threshold: BareNumber
    """With what."""
    lookback_window: Length
    """Over how long."""
    alert_after: LengthOrNone = Duration(count=0, unit="m")
    """For how long it must last."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what only the specification's examples leave out."""
        if context.strict and self.op is None:
            yield self.at("op").error("is required: lte, gte, lt or gt")


class ConditionSpec(Described):
    """When an alert is due."""

    severity: PureWords
    """How bad it is."""
    condition: BurnRate
    """What must be true."""


class TargetSpec(Described):
    """Who is told."""

    target: PureWords
    """By what kind of channel."""


class Entry(OpenSloSection):
    """What stands in a list: a reference, or a whole object without metadata of its own file."""

    operator: Annotated[Literal["and", "or"], one_of(("and", "or"))] | None = None
    """Without meaning; the specification's own examples carry it from an earlier draft."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what only the specification's examples have."""
        yield from unknown_when_strict(self, context, "operator")


class Reference(Entry):
    """A reference by name."""

    KIND: ClassVar[str]

    @classmethod
    def missing_field(cls, name: str) -> str:
        """Say what else might stand here."""
        return f"{super().missing_field(name)} unless a whole {cls.KIND} stands here"


class ConditionReference(Reference):
    """An AlertCondition by its name."""

    KIND = "AlertCondition"

    condition_ref: Name
    """Its name."""


class TargetReference(Reference):
    """An AlertNotificationTarget by its name."""

    KIND = "AlertNotificationTarget"

    target_ref: Name
    """Its name."""


class PolicyReference(Reference):
    """An AlertPolicy by its name."""

    KIND = "AlertPolicy"

    alert_policy_ref: Name
    """Its name."""


class Inline(Entry):
    """A whole object inside of another."""

    api_version: _Version | None = None
    """The version of the standard."""
    metadata: Metadata
    """Its name."""


class InlineCondition(Inline):
    """A whole AlertCondition inside of a policy."""

    kind: Annotated[Literal["AlertCondition"], one_of(("AlertCondition",))]
    """What it is."""
    spec: ConditionSpec
    """When an alert is due."""


class InlineTarget(Inline):
    """A whole AlertNotificationTarget inside of a policy."""

    kind: Annotated[Literal["AlertNotificationTarget"], one_of(("AlertNotificationTarget",))]
    """What it is."""
    spec: TargetSpec
    """Who is told."""


def _form_of(reference: str, *, bare: bool = False) -> Discriminator:
    """Return what tells a reference by the field ``reference`` from a whole object.

    Args:
        reference: Name of the field.
        bare: Whether a text alone is a name.
    """

    def form(raw: object) -> str:
        if isinstance(raw, Scalar) and bare:
            return "name"
        given = raw.given() if isinstance(raw, Table) else {}
        whole = reference not in given and ("kind" in given or "spec" in given)
        return "whole" if whole else "reference"

    return Discriminator(form)


def _only_one(conditions: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(conditions) != 1:
        raise ValueError(f"must hold exactly one condition, got {len(conditions)}")
    return conditions


ConditionEntry = Annotated[
    Annotated[ConditionReference, Tag("reference")] | Annotated[InlineCondition, Tag("whole")],
    _form_of("conditionRef"),
]
TargetEntry = Annotated[
    Annotated[TargetReference, Tag("reference")] | Annotated[InlineTarget, Tag("whole")],
    _form_of("targetRef"),
]


class PolicySpec(Described):
    """When to alert, and whom."""

    alert_when_no_data: BareFlag = False
    """Whether missing data alert."""
    alert_when_resolved: BareFlag = False
    """Whether the end is told."""
    alert_when_breaching: BareFlag = False
    """Whether a breach alerts."""
    conditions: Annotated[tuple[ConditionEntry, ...], AfterValidator(_only_one)]
    """Exactly one, by reference or whole."""
    notification_targets: Annotated[
        tuple[TargetEntry, ...], at_least_one("must name at least one target")
    ]
    """Whom to tell, by reference or whole."""


class InlinePolicy(Inline):
    """A whole AlertPolicy inside of an SLO."""

    kind: Annotated[Literal["AlertPolicy"], one_of(("AlertPolicy",))]
    """What it is."""
    spec: PolicySpec
    """When to alert, and whom."""


PolicyEntry = Annotated[
    Annotated[Name, Tag("name")]
    | Annotated[PolicyReference, Tag("reference")]
    | Annotated[InlinePolicy, Tag("whole")],
    _form_of("alertPolicyRef", bare=True),
]


class AlertPolicy(OpenSloDocument):
    """One condition and whom to tell."""

    kind: Annotated[Literal["AlertPolicy"], one_of(("AlertPolicy",))]
    """What it is."""
    spec: PolicySpec
    """When to alert, and whom."""


class AlertCondition(OpenSloDocument):
    """When an alert is due: the burn rate over a window compared with a threshold."""

    kind: Annotated[Literal["AlertCondition"], one_of(("AlertCondition",))]
    """What it is."""
    spec: ConditionSpec
    """When an alert is due."""


class AlertNotificationTarget(OpenSloDocument):
    """Who is told, by what kind of channel."""

    kind: Annotated[Literal["AlertNotificationTarget"], one_of(("AlertNotificationTarget",))]
    """What it is."""
    spec: TargetSpec
    """Who is told."""

"""Alert policies of an SLO: conditions that decide when it alerts, and what of them has no effect.

OpenSLO v1 knows one condition on one window. A policy that can be evaluated takes the place of the
pairs of windows. What is known of it is said, never ignored: a reference that leads nowhere, an
operator that would alert while all is well, targets that are no routes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from anomaly.findings import Urgency
from anomaly.slo.documents.alerts import (
    AlertCondition,
    AlertNotificationTarget,
    AlertPolicy,
    ConditionReference,
    ConditionSpec,
    InlinePolicy,
    PolicyReference,
    PolicySpec,
    TargetReference,
)
from anomaly.slo.documents.metadata import OpenSloDocument
from anomaly.slo.documents.objectives import Slo
from anomaly.slo.policy import Policy

_PAGES = frozenset(
    ["page", "critical", "emergency", "fatal", "high", "sev1", "sev2", "p1", "p2", "pager"]
)
_NO_PLACE = "pairs of windows decide instead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What SLO documents may refer to by name."""

    policies: Mapping[str, AlertPolicy]
    conditions: Mapping[str, AlertCondition]
    targets: Mapping[str, AlertNotificationTarget]

    @classmethod
    def of(cls, documents: Iterable[OpenSloDocument]) -> Policies:
        """Return what documents name."""
        every = list(documents)
        return cls(
            policies={d.metadata.name: d for d in every if isinstance(d, AlertPolicy)},
            conditions={d.metadata.name: d for d in every if isinstance(d, AlertCondition)},
            targets={d.metadata.name: d for d in every if isinstance(d, AlertNotificationTarget)},
        )


def policies_of(slo: Slo, library: Policies) -> tuple[tuple[Policy, ...], tuple[str, ...]]:
    """Return the policies of an SLO that can be evaluated, and what is to be said of all."""
    found: list[Policy] = []
    remarks: list[str] = []
    for name, spec in _specs(slo, library, remarks):
        condition = _condition(name, spec, library, remarks)
        if condition is None:
            continue
        found.append(_policy(_unique(name, found), condition))
        remarks.extend(_remarks(name, spec, condition, library))
    if slo.spec.alert_policies and not found:
        remarks.append(f"none of its alertPolicies can be evaluated: {_NO_PLACE}")
    return tuple(found), tuple(dict.fromkeys(remarks))


def _specs(slo: Slo, library: Policies, remarks: list[str]) -> Iterator[tuple[str, PolicySpec]]:
    for entry in slo.spec.alert_policies:
        if isinstance(entry, InlinePolicy):
            yield entry.metadata.name, entry.spec
            continue
        name = entry.alert_policy_ref if isinstance(entry, PolicyReference) else entry
        policy = library.policies.get(name)
        if policy is None:
            remarks.append(f"alertPolicies: {name!r} names no AlertPolicy in these files")
        else:
            yield name, policy.spec


def _condition(
    name: str, spec: PolicySpec, library: Policies, remarks: list[str]
) -> ConditionSpec | None:
    (entry,) = spec.conditions
    if "alertWhenBreaching" in spec.names() and not spec.alert_when_breaching:
        remarks.append(f"alert policy {name!r} says alertWhenBreaching: false, so it never alerts")
        return None
    if not isinstance(entry, ConditionReference):
        found = entry.spec
    elif entry.condition_ref in library.conditions:
        found = library.conditions[entry.condition_ref].spec
    else:
        told = f"{entry.condition_ref!r}, which names no AlertCondition in these files"
        remarks.append(f"alert policy {name!r} asks for {told}")
        return None
    if found.condition.threshold <= 0:
        remarks.append(f"alert policy {name!r} has no threshold above 0, so it would never end")
        return None
    return found


def _policy(name: str, spec: ConditionSpec) -> Policy:
    burn = spec.condition
    pages = spec.severity.strip().lower() in _PAGES
    return Policy(
        name=name,
        urgency=Urgency.PAGE if pages else Urgency.TICKET,
        lookback_s=burn.lookback_window.seconds,
        threshold=burn.threshold,
        inclusive=burn.op != "gt",
        after_s=burn.alert_after.seconds,
    )


def _remarks(
    name: str, spec: PolicySpec, condition: ConditionSpec, library: Policies
) -> Iterator[str]:
    if condition.condition.op in ("lt", "lte"):
        yield (
            f"alert policy {name!r} compares by {condition.condition.op}, which would alert while "
            "nothing burns: read as gte"
        )
    unmapped = [
        one.target_ref if isinstance(one, TargetReference) else one.metadata.name
        for one in spec.notification_targets
    ]
    missing = [
        one.target_ref
        for one in spec.notification_targets
        if isinstance(one, TargetReference) and one.target_ref not in library.targets
    ]
    if missing:
        yield f"alert policy {name!r} tells {', '.join(missing)}, which names no target here"
    yield (
        f"whom alert policy {name!r} tells ({', '.join(unmapped)}) is not mapped: routes.yaml says "
        "who is told"
    )


def _unique(name: str, taken: Sequence[Policy]) -> str:
    names = {one.name for one in taken}
    return next(
        one
        for one in (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
        if one not in names
    )

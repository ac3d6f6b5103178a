"""Reading alert policies, their conditions and their targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from anomaly.documents import Node
from anomaly.fields import Section, boolean, description, items, nonempty, number, one_of
from anomaly.slo.documents.duration import Duration, duration
from anomaly.slo.documents.headers import metadata, name
from anomaly.slo.documents.openslo import AlertCondition, AlertNotificationTarget, AlertPolicy

T = TypeVar("T")


def alert_policy(document: Section, *, strict: bool) -> AlertPolicy:
    """Read ``metadata`` and ``spec`` of an AlertPolicy."""
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    result = AlertPolicy(
        metadata=meta,
        description=spec.optional("description", description) or "",
        when_no_data=bool(spec.optional("alertWhenNoData", boolean)),
        when_resolved=bool(spec.optional("alertWhenResolved", boolean)),
        when_breaching=bool(spec.optional("alertWhenBreaching", boolean)),
        condition=spec.required("conditions", lambda n: _condition(n, strict=strict)),
        targets=spec.required("notificationTargets", lambda n: _targets(n, strict=strict)),
    )
    spec.finish()
    return result


def alert_condition(document: Section, *, strict: bool) -> AlertCondition:
    """Read ``metadata`` and ``spec`` of an AlertCondition."""
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    words = spec.optional("description", description) or ""
    severity = spec.required("severity", nonempty)
    burn = spec.required("condition", Section)
    burn.required("kind", one_of("burnrate"))
    op = burn.optional("op", one_of("lte", "gte", "lt", "gt"))
    if op is None and strict:
        burn.fail("op", "is required: lte, gte, lt or gt")
    threshold = burn.required("threshold", number)
    lookback = burn.required("lookbackWindow", duration)
    after = burn.optional("alertAfter", lambda n: duration(n, zero=True))
    burn.finish()
    spec.finish()
    return AlertCondition(
        metadata=meta,
        description=words,
        severity=severity,
        op=op or "gte",
        threshold=threshold,
        lookback=lookback,
        alert_after=after or Duration(count=0, unit="m"),
    )


def notification_target(document: Section, *, strict: bool) -> AlertNotificationTarget:
    """Read ``metadata`` and ``spec`` of an AlertNotificationTarget."""
    meta = document.required("metadata", lambda n: metadata(n, strict=strict))
    spec = document.required("spec", Section)
    result = AlertNotificationTarget(
        metadata=meta,
        description=spec.optional("description", description) or "",
        target=spec.required("target", nonempty),
    )
    spec.finish()
    return result


def policy_entry(node: Node, *, strict: bool) -> AlertPolicy | str:
    """Read an entry of ``alertPolicies``: inline, a reference, or (lenient) a bare name."""
    if not strict and node.tag == "str":
        return name(node, strict=False)
    return _inline_or_ref(node, "alertPolicyRef", "AlertPolicy", alert_policy, strict=strict)


def _condition(node: Node, *, strict: bool) -> AlertCondition | str:
    entries = items(node)
    if len(entries) != 1:
        node.fail(f"must hold exactly one condition, got {len(entries)}")
    return _inline_or_ref(
        entries[0], "conditionRef", "AlertCondition", alert_condition, strict=strict
    )


def _targets(node: Node, *, strict: bool) -> Sequence[AlertNotificationTarget | str]:
    entries = items(node)
    if not entries:
        node.fail("must name at least one target")
    kind = "AlertNotificationTarget"
    return tuple(
        _inline_or_ref(entry, "targetRef", kind, notification_target, strict=strict)
        for entry in entries
    )


def _inline_or_ref(
    node: Node, ref: str, kind: str, read: Callable[..., T], *, strict: bool
) -> T | str:
    section = Section(node)
    if not strict:
        # The specification's own examples still carry it from an earlier draft; it has no meaning.
        section.optional("operator", one_of("and", "or"))
    by_name = section.optional(ref, lambda n: name(n, strict=strict))
    if by_name is not None:
        section.finish()
        return by_name
    if "kind" not in section and "spec" not in section:
        section.fail(ref, f"is required unless a whole {kind} stands here")
    section.optional("apiVersion", one_of("openslo/v1"))
    section.required("kind", one_of(kind))
    result = read(section, strict=strict)
    section.finish()
    return result

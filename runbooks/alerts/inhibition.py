"""Inhibition: while one finding fires, others of the same place ring nobody.

Semantics of Alertmanager (``inhibit/inhibit.go``): the labels of ``equal`` are the same on both
sides, where missing is empty; what matches both sides is not inhibited by what does, too.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from anomaly.findings import Finding, FindingState
from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import OneOrMore, Words, at_least_one
from collectors.errors import DocumentError
from runbooks.alerts.labels import labels_of
from runbooks.alerts.matchers import Labels, Matcher, matches_all
from runbooks.alerts.matching_shapes import Matchers


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitRule:
    """What matches ``sources`` keeps what matches ``targets`` from ringing."""

    name: str
    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def place(self, labels: Labels) -> tuple[str, ...]:
        """Return what must be the same on both sides."""
        return tuple(labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, slots=True)
class _Source:
    finding: Finding
    two_sided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibited:
    """By which rule, and by what that fires."""

    rule: str
    source: Finding


class Inhibition:
    """Knows what fires, by rule and place; may be used by several threads.

    Args:
        rules: All of them.
        firing: What fires already.
    """

    def __init__(self, rules: Sequence[InhibitRule] = (), firing: Sequence[Finding] = ()) -> None:
        self._rules = tuple(rules)
        self._lock = threading.Lock()
        self._sources: dict[tuple[int, tuple[str, ...]], dict[str, _Source]] = {}
        self._places: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
        for finding in firing:
            self.note(finding)

    def note(self, finding: Finding) -> None:
        """Take note of a finding that is new or has changed."""
        if not self._rules:
            return
        with self._lock:
            for key in self._places.pop(finding.id, ()):
                sources = self._sources.get(key, {})
                sources.pop(finding.id, None)
                if not sources:
                    self._sources.pop(key, None)
            if finding.state is not FindingState.RESOLVED:
                self._add(finding)

    def verdict(self, finding: Finding, labels: Labels) -> Inhibited | None:
        """Return what inhibits a finding now, None if nothing does."""
        if not self._rules:
            return None
        with self._lock:
            for number, rule in enumerate(self._rules):
                if not matches_all(rule.targets, labels):
                    continue
                both = matches_all(rule.sources, labels)
                found = self._sources.get((number, rule.place(labels)), {})
                for source in found.values():
                    if source.finding.id != finding.id and not (both and source.two_sided):
                        return Inhibited(rule=rule.name, source=source.finding)
        return None

    def _add(self, finding: Finding) -> None:
        labels = labels_of(finding)
        for number, rule in enumerate(self._rules):
            if matches_all(rule.sources, labels):
                key = number, rule.place(labels)
                source = _Source(finding, matches_all(rule.targets, labels))
                self._sources.setdefault(key, {})[finding.id] = source
                self._places.setdefault(finding.id, []).append(key)


class InhibitRuleShape(Section):
    """A rule."""

    name: Words = ""
    """What it is called; without it its number."""
    source_matchers: Annotated[Matchers, at_least_one("names no source")]
    """What must fire: all must hold."""
    target_matchers: Annotated[Matchers, at_least_one("names no target")]
    """What then rings nobody: all must hold."""
    equal: Annotated[tuple[Words, ...], OneOrMore] = ()
    """Labels that must be the same on both sides."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield sides that match everything."""
        del context
        for side in ("source_matchers", "target_matchers"):
            if all(matcher.matches({}) for matcher in getattr(self, side)):
                yield self.at(side).error("at least one must not match an empty label")


class InhibitFile(Section):
    """`inhibit.yaml`: what rings nobody while something else fires."""

    inhibit_rules: Annotated[tuple[InhibitRuleShape, ...], at_least_one("has no rule")]
    """All of them, in Alertmanager's form."""


def load_inhibit_rules(path: Path) -> tuple[InhibitRule, ...]:
    """Read ``inhibit.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shapes = load_section(path, InhibitFile).inhibit_rules
    return tuple(
        InhibitRule(
            name=shape.name or f"rule {number}",
            sources=shape.source_matchers,
            targets=shape.target_matchers,
            equal=shape.equal,
        )
        for number, shape in enumerate(shapes, start=1)
    )

"""What an inspection is: an expression, from where on it is bad, for how long, and why."""

from __future__ import annotations

from dataclasses import dataclass

from anomaly.findings import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One inspection.

    Attributes:
        name: Unique name.
        group: What it belongs to, such as ``host``.
        title: What is wrong when it fires, for people.
        expr: Stack-language expression; each of its lines is looked at by itself.
        group_by: Keys that tell the lines apart.
        above: Values above it are bad; None when ``below`` is given.
        below: Values below it are bad; None when ``above`` is given.
        unit: Of the values: ``ratio``, ``s``, ``1/s``, ``By``, or any word.
        for_s: For so many seconds in a row it must be bad.
        urgency: What it means.
        why: Why it matters, in a sentence or two.
        hint: What to do, in a sentence or two.
        enabled: Whether it is evaluated at all.
        source: ``file:line`` of whoever changed or added it; empty for stock.
    """

    name: str
    group: str
    title: str
    expr: str
    group_by: tuple[str, ...]
    above: float | None
    below: float | None
    unit: str
    for_s: float
    urgency: Urgency
    why: str
    hint: str
    enabled: bool = True
    source: str = ""

    @property
    def threshold(self) -> float:
        """From where on it is bad."""
        return (self.above if self.above is not None else self.below) or 0.0

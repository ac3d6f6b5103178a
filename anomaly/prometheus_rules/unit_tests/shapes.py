"""The shape of a file that tests rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from anomaly.prometheus_rules.shapes import LengthMs
from collectors.documents.nodes import Scalar
from collectors.documents.section import Context, Section, WrongValueError
from collectors.documents.values import Anything, DurationMs, Flag, Words, Written
from collectors.errors import DocumentError

_SPECIAL = re.compile(r"([-+]?)\.?(inf|nan)", re.IGNORECASE)


def _read_value(raw: object) -> float:
    """Return a number, which may be infinite or none."""
    text = raw.text if isinstance(raw, Scalar) else ""
    special = _SPECIAL.fullmatch(text)
    if special is not None:
        return math.nan if special[2].lower() == "nan" else float(f"{special[1]}inf")
    try:
        return float(text)
    except ValueError:
        raise WrongValueError("a number") from None


Value = Annotated[float, PlainValidator(_read_value), WithJsonSchema({"type": "number"})]


class InputSeriesShape(Section):
    """A series, with its values at each interval from the start."""

    series: Words
    """Its name and labels."""
    values: Written
    """Its values, in the expanding notation: `1+2x3 _ stale`."""


class ExpectedAlertShape(Section):
    """An alert that fires."""

    exp_labels: dict[str, Written] = {}
    """Its labels, without its name."""
    exp_annotations: dict[str, Written] = {}
    """Its annotations, filled in."""


class AlertTestShape(Section):
    """What an alert does at a time."""

    eval_time: LengthMs = 0
    """How long after the start."""
    alertname: Written = ""
    """The alert."""
    exp_alerts: tuple[ExpectedAlertShape, ...] = ()
    """Those that fire; none when it is left out."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that no alert is named."""
        del context
        if not self.alertname:
            yield self.place.error("alertname is required")


class ExpectedSampleShape(Section):
    """An element of an expression."""

    labels: Written = ""
    """Its name and labels, as in PromQL."""
    value: Value = 0.0
    """Its value."""
    histogram: Anything = None
    """A native histogram, which is not compared here."""


class ExpressionTestShape(Section):
    """What an expression has at a time."""

    expr: Words
    """In PromQL."""
    eval_time: LengthMs = 0
    """How long after the start."""
    exp_samples: tuple[ExpectedSampleShape, ...] = ()
    """Its elements."""


class RuleTestShape(Section):
    """Series, and what rules make of them."""

    name: Written = ""
    """What messages call it."""
    interval: DurationMs | None = None
    """Between two values of a series; `evaluation_interval` by default."""
    input_series: tuple[InputSeriesShape, ...] = ()
    """What comes in."""
    alert_rule_test: tuple[AlertTestShape, ...] = ()
    """What is expected of alerts."""
    promql_expr_test: tuple[ExpressionTestShape, ...] = ()
    """What is expected of expressions."""
    external_labels: dict[str, Written] = {}
    """`$externalLabels` of templates."""
    external_url: Written = ""
    """`$externalURL` of templates."""
    start_timestamp: Written = ""
    """When it begins, RFC 3339 or seconds; 1970 by default."""


class RuleTestsFile(Section):
    """A file of tests of rules."""

    rule_files: tuple[Written, ...] = ()
    """Paths from here; the last part may be a pattern."""
    evaluation_interval: DurationMs = 60_000
    """How often rules are evaluated."""
    group_eval_order: tuple[Written, ...] = ()
    """Groups that are evaluated one after the other, by name."""
    fuzzy_compare: Flag = False
    """Whether neighbouring floating-point numbers are the same."""
    tests: tuple[RuleTestShape, ...] = ()
    """The tests."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield groups that are named twice."""
        del context
        for at, name in enumerate(self.group_eval_order):
            if name in self.group_eval_order[:at]:
                yield self.at("group_eval_order", at).error(
                    f"group name repeated in evaluation order: {name}"
                )

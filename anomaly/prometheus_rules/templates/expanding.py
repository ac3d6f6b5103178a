"""What the labels and annotations of an alert say, with its own labels and value filled in.

As in Prometheus a text that can't be filled in says so itself; the alert goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import structlog

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.filling import filled
from anomaly.prometheus_rules.templates.functions import FUNCTIONS, Surroundings
from anomaly.prometheus_rules.templates.parsing import parse_template
from anomaly.prometheus_rules.templates.values import Record
from collectors.model import Tags

_VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What templates of one evaluation may speak of, whatever the alert.

    Attributes:
        around: What functions may know.
        external_labels: ``$externalLabels``.
        external_url: ``$externalURL``.
    """

    around: Surroundings
    external_labels: Tags = field(default_factory=dict)
    external_url: str = ""


def check_template(text: str) -> None:
    """Read a template.

    Raises:
        TemplateError: It is none.
    """
    parse_template(text, FUNCTIONS, _VARIABLES)


def expanded(text: str, labels: Mapping[str, str], value: float, speech: Speech) -> str:
    """Return a text with its template filled in, or with what keeps it from being.

    Args:
        text: The template.
        labels: ``$labels``, those of the element that alerts.
        value: ``$value``.
        speech: What else it may speak of.
    """
    if "{{" not in text:
        return text
    data = Record(
        Labels=dict(labels),
        ExternalLabels=dict(speech.external_labels),
        ExternalURL=speech.external_url,
        Value=value,
    )
    given = dict(zip(_VARIABLES, data.values(), strict=True))
    try:
        template = parse_template(text, FUNCTIONS, _VARIABLES)
        return filled(template, data, speech.around, given)
    except (TemplateError, RecursionError) as error:
        why = error.message if isinstance(error, TemplateError) else "too deep"
        _log_once(text[:200], why)
        return f"<error expanding template: {why}>"


@lru_cache(maxsize=1_000)
def _log_once(text: str, why: str) -> None:
    """Log what a template lacks; it is filled in for each alert of each evaluation."""
    _log.warning("template of a rule can't be filled in", template=text, reason=why)

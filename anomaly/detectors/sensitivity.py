"""Making a detector less sensitive: what people called noise raises its threshold. Pure."""

from __future__ import annotations

from dataclasses import replace

from anomaly.detectors.parameters import Parameters, settings_of

_FACTORS = {"threshold": 1.25, "evidence": 1.25, "false_alarms_per_week": 0.5}
"""By the setting of a detector that says how much it takes: what each time multiplies it by."""


def less_sensitive(parameters: Parameters, times: int) -> Parameters:
    """Return settings under which so much more is needed for an anomaly, within their bounds.

    Args:
        parameters: As the document gives them.
        times: How often it was too sensitive; 0 changes nothing.
    """
    return replace(parameters, **sensitivity(parameters, times))  # type: ignore[arg-type]  # numbers


def sensitivity(parameters: Parameters, times: int = 0) -> dict[str, float]:
    """Return the settings of a detector that say how much it takes, after it was too sensitive."""
    found: dict[str, float] = {}
    for setting in settings_of(type(parameters)):
        factor = _FACTORS.get(setting.name)
        if factor is not None:
            value = getattr(parameters, setting.name) * factor**times
            found[setting.name] = min(max(value, setting.low), setting.high)
    return found

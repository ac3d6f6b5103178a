"""How colours look to people with other colour vision."""

from __future__ import annotations

from enum import StrEnum

from collectors.graph.color import Color


class Vision(StrEnum):
    """Kinds of colour vision that a graph can simulate."""

    NORMAL = "normal"
    PROTANOPIA = "protanopia"
    PROTANOMALY = "protanomaly"
    DEUTERANOPIA = "deuteranopia"
    DEUTERANOMALY = "deuteranomaly"
    TRITANOPIA = "tritanopia"
    TRITANOMALY = "tritanomaly"
    ACHROMATOPSIA = "achromatopsia"
    ACHROMATOMALY = "achromatomaly"


# Rows are the output's red, green and blue. The values are M. Wickline's colour-matrix table, the
# one that most simulators of colour blindness share.
_MATRICES: dict[Vision, tuple[tuple[float, float, float], ...]] = {
    Vision.NORMAL: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    Vision.PROTANOPIA: ((0.567, 0.433, 0), (0.558, 0.442, 0), (0, 0.242, 0.758)),
    Vision.PROTANOMALY: ((0.817, 0.183, 0), (0.333, 0.667, 0), (0, 0.125, 0.875)),
    Vision.DEUTERANOPIA: ((0.625, 0.375, 0), (0.7, 0.3, 0), (0, 0.3, 0.7)),
    Vision.DEUTERANOMALY: ((0.8, 0.2, 0), (0.258, 0.742, 0), (0, 0.142, 0.858)),
    Vision.TRITANOPIA: ((0.95, 0.05, 0), (0, 0.433, 0.567), (0, 0.475, 0.525)),
    Vision.TRITANOMALY: ((0.967, 0.033, 0), (0, 0.733, 0.267), (0, 0.183, 0.817)),
    Vision.ACHROMATOPSIA: ((0.299, 0.587, 0.114),) * 3,
    Vision.ACHROMATOMALY: ((0.618, 0.320, 0.062), (0.163, 0.775, 0.062), (0.163, 0.320, 0.516)),
}


def seen_as(color: Color, vision: Vision) -> Color:
    """Return ``color`` as somebody with ``vision`` sees it.

    >>> seen_as(Color(255, 0, 0), Vision.ACHROMATOPSIA)
    Color(red=76, green=76, blue=76, alpha=255)
    """
    channels = (color.red, color.green, color.blue)
    mixed = [
        min(255, round(sum(w * c for w, c in zip(row, channels, strict=True))))
        for row in _MATRICES[vision]
    ]
    return Color(mixed[0], mixed[1], mixed[2], color.alpha)

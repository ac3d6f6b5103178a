"""When a policy fires: the well-known ones, and those of a file.

All windows are given for a period of 30 days and are scaled to the objective's own. The six
approaches are those of the SRE Workbook, chapter 5, in its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator

from anomaly.findings import Urgency
from anomaly.slo.documents.duration import Length, LengthOrNone
from collectors.documents.composing import compose
from collectors.documents.reading import flattened, read_all, validated
from collectors.documents.section import Section, WrongValueError
from collectors.documents.values import Number, PureWords, at_least_one, one_of
from collectors.errors import ConfigError

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_PERIOD_S = 30 * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTier:
    """A pair of windows of a policy; both the same is one window.

    Attributes:
        urgency: What its firing means.
        long_s: Long window for a period of 30 days, seconds.
        short_s: Short window, likewise.
        burn: Burn rate that both must pass.
        for_s: How long they must, seconds, likewise.
    """

    urgency: Urgency
    long_s: int
    short_s: int
    burn: Fraction
    for_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to page, and when to write a ticket.

    Attributes:
        name: What it is called.
        tiers: Pairs of windows; any that fires is enough.
    """

    name: str
    tiers: Sequence[PolicyTier]


def _page(long_s: int, short_s: int, burn: str, for_s: int = 0) -> PolicyTier:
    return PolicyTier(
        urgency=Urgency.PAGE, long_s=long_s, short_s=short_s, burn=Fraction(burn), for_s=for_s
    )


def _ticket(long_s: int, short_s: int, burn: str, for_s: int = 0) -> PolicyTier:
    return PolicyTier(
        urgency=Urgency.TICKET, long_s=long_s, short_s=short_s, burn=Fraction(burn), for_s=for_s
    )


OWN = Policy(name="tocsin", tiers=())
"""What tocsin does: see :mod:`anomaly.slo.backtest.ourselves`."""

KNOWN: Sequence[Policy] = (
    Policy(name="1-short-window", tiers=(_page(10 * _MINUTE, 10 * _MINUTE, "1"),)),
    Policy(name="2-long-window", tiers=(_page(36 * _HOUR, 36 * _HOUR, "1"),)),
    Policy(name="3-lasting", tiers=(_page(10 * _MINUTE, 10 * _MINUTE, "1", for_s=_HOUR),)),
    Policy(name="4-one-burn-rate", tiers=(_page(_HOUR, _HOUR, "36"),)),
    Policy(
        name="5-burn-rates",
        tiers=(
            _page(_HOUR, _HOUR, "14.4"),
            _page(6 * _HOUR, 6 * _HOUR, "6"),
            _ticket(3 * _DAY, 3 * _DAY, "1"),
        ),
    ),
    Policy(
        name="6-windows-and-burn-rates",
        tiers=(
            _page(_HOUR, 5 * _MINUTE, "14.4"),
            _page(6 * _HOUR, 30 * _MINUTE, "6"),
            _ticket(_DAY, 2 * _HOUR, "3"),
            _ticket(3 * _DAY, 6 * _HOUR, "1"),
        ),
    ),
    OWN,
)


def _positive(number: Fraction) -> Fraction:
    if number <= 0:
        raise WrongValueError("more than 0")
    return number


_Positive = Annotated[Number, AfterValidator(_positive)]


class TierDocument(Section):
    """A pair of windows, for a period of 30 days."""

    urgency: Annotated[Literal["page", "ticket"], one_of(("page", "ticket"))]
    """page or ticket."""
    long: Length
    """Long window: 1h."""
    short: Length | None = None
    """Short window; the long one without it."""
    burn: _Positive
    """Burn rate that both windows must pass."""
    lasting: LengthOrNone | None = None
    """For how long they must."""


class PolicyDocument(Section):
    """A policy."""

    name: PureWords
    """What it is called."""
    tiers: Annotated[tuple[TierDocument, ...], at_least_one("must hold at least one tier")]
    """Pairs of windows."""


def read_policies(text: str, file: str) -> list[Policy]:
    """Return the policies of a YAML list.

    Raises:
        DocumentError: All mistakes, with their places.
    """
    read = read_all(flattened(compose(text, file)), lambda one: validated(one, PolicyDocument))
    if not read:
        raise ConfigError(f"{file}: must be a list of policies, each with name and tiers")
    return [Policy(name=one.name, tiers=tuple(_tier(tier) for tier in one.tiers)) for one in read]


def _tier(tier: TierDocument) -> PolicyTier:
    return PolicyTier(
        urgency=Urgency(tier.urgency),
        long_s=tier.long.seconds,
        short_s=(tier.short or tier.long).seconds,
        burn=tier.burn,
        for_s=tier.lasting.seconds if tier.lasting else 0,
    )

"""How many incidents are explained by the right tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from anomaly.evidence.tag_scan import TRUST, Cells, Direction, expected_counts, scan
from benchmarks.streaming.cases import Case, Cause

TRUSTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""What the cross-validation chooses from."""

_WITHIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares of the cases, 0 to 1.

    Attributes:
        cases: How many there are.
        exact: The first answer is a true cause, no more and no less.
        exact_at_3: One of the first three is.
        mean_f1: Of the first answer's tags.
    """

    cases: int
    exact: float
    exact_at_3: float
    mean_f1: float


def answers(case: Case, trust: float = TRUST) -> list[Cause]:
    """Return the tags that explain a case, the likeliest first, from what came before its alarm."""
    now = case.requests[:, -1]
    cells = Cells(
        tags=case.tags,
        observed=case.failures[:, -1],
        expected=expected_counts(case.failures[:, :-1], case.requests[:, :-1], now),
    )
    found = scan(cells, case.keys, direction=Direction.UP, trust=trust, answers=_WITHIN)
    return [frozenset(one.tags.items()) for one in found.combinations]


def figures(cases: Sequence[Case], found: Sequence[Sequence[Cause]]) -> Figures:
    """Return how good the answers ``found`` for ``cases`` are."""
    count = max(1, len(cases))
    pairs = list(zip(cases, found, strict=True))
    return Figures(
        cases=len(cases),
        exact=sum(bool(a) and a[0] in case.causes for case, a in pairs) / count,
        exact_at_3=sum(any(one in case.causes for one in a) for case, a in pairs) / count,
        mean_f1=sum(
            max(_f1(a[0] if a else frozenset(), c) for c in case.causes) for case, a in pairs
        )
        / count,
    )


def cross_validated(cases: Sequence[Case]) -> dict[str, object]:
    """Choose ``trust`` on each half of the cases and score it on the other."""
    by_trust = {trust: [answers(case, trust) for case in cases] for trust in TRUSTS}
    result: dict[str, object] = {}
    for name, chosen_on, scored_on in (("odd", 0, 1), ("even", 1, 0)):
        best = max(
            TRUSTS,
            key=lambda trust: _sum(figures(cases[chosen_on::2], by_trust[trust][chosen_on::2])),
        )
        scored = figures(cases[scored_on::2], by_trust[best][scored_on::2])
        result[f"scored_on_{name}"] = {"trust": best, **asdict(scored)}
    result["by_trust"] = {
        str(trust): asdict(figures(cases, found)) for trust, found in by_trust.items()
    }
    return result


def _sum(one: Figures) -> float:
    return one.exact + one.exact_at_3 + one.mean_f1


def _f1(answer: Cause, cause: Cause) -> float:
    return 2 * len(answer & cause) / max(1, len(answer) + len(cause))

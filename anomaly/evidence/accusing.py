"""One list of suspects out of what exemplar traces and what the calls of all traces say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from anomaly.evidence.blaming import Blame
from anomaly.evidence.by_metrics import (
    NOTHING_MOVED,
    Moved,
    suspects_by_metrics,
    with_metrics,
)
from anomaly.evidence.causes import MAX_SUSPECTS, SUSPECT, shares_of
from anomaly.evidence.line_kinds import NOTHING_HEARD, Heard, with_heard
from anomaly.findings import Finding, Suspect
from tocsin.client.wording import clock

_COMPARED = 2


def accusing(
    finding: Finding,
    by_traces: Sequence[Suspect],
    by_calls: Blame,
    moved: Moved = NOTHING_MOVED,
    heard: Heard = NOTHING_HEARD,
) -> Finding:
    """Return ``finding`` with its suspects in place of earlier ones, and told in its explanation.

    What their logs say stands beside it. Metrics that moved are further evidence; where no call
    makes anybody suspect they are all there is, and the suspects have no path.

    When neither names anybody, earlier suspects stay; that services were compared and none is off
    is told, as it sends whoever reads it elsewhere.
    """
    suspects = joined(by_traces, by_calls.suspects)
    if suspects:
        sources = (("traces", by_traces), ("calls", by_calls.suspects))
        told = " and ".join(name for name, one in sources if one)
        suspects = with_heard(with_metrics(suspects, moved), heard, finding.started_ms)
        return accused(finding, suspects, told)
    if finding.suspects and not _by_metrics_alone(finding):
        return finding
    if by_calls.known >= _COMPARED:
        words = f"None of {by_calls.known} services on the way is off enough to be the cause."
        finding = replace(finding, explanation=f"{finding.explanation} {words}")
    if moved.services:
        suspects = with_heard(suspects_by_metrics(moved), heard, finding.started_ms)
        return accused(finding, suspects, "metrics")
    if moved.compared >= _COMPARED and by_calls.known < _COMPARED:
        words = f"Of {moved.compared} services with metrics none has moved with it."
        return replace(finding, explanation=f"{finding.explanation} {words}")
    return finding


def _longer(one: Suspect | None, other: Suspect) -> Suspect:
    """Return who of two has the longer way, the one whose onsets are known among equals."""
    both = [side for side in (one, other) if side is not None]
    return max(both, key=lambda side: (len(side.path), len(side.onsets_ms), side.path))


def accused(finding: Finding, suspects: Sequence[Suspect], source: str) -> Finding:
    """Return ``finding`` with ``suspects`` in place of earlier ones, and told in its explanation.

    Args:
        finding: What is to be explained.
        suspects: The likeliest first.
        source: What accuses them, in words: ``traces``.
    """
    told = "; ".join(suspect_words(suspect) for suspect in suspects)
    earlier = shares_of(finding.values)
    values = {name: value for name, value in finding.values.items() if name not in earlier}
    return replace(
        finding,
        explanation=f"{finding.explanation} Suspects by its {source}: {told}.",
        values=values | {f"{SUSPECT}{suspect.service}": suspect.share for suspect in suspects},
        suspects=tuple(suspects),
    )


def suspect_words(suspect: Suspect) -> str:
    """Return a suspect with its evidence, the way to it and what speaks against it.

    The page, the API and the post-mortem all tell it in these words.
    """
    way = f"; by {' → '.join(suspect.path)}" if len(suspect.path) > 1 else ""
    order = _order(suspect)
    beside = [name for name in suspect.felt_by if name not in suspect.path]
    felt = f"; also felt by {', '.join(beside)}" if beside else ""
    against = f"; against it: {', '.join(suspect.against)}" if suspect.against else ""
    return f"{suspect.service} ({suspect.reason}{way}{order}{felt}{against})"


def _order(suspect: Suspect) -> str:
    """Return who on the way was off first, when that is known of two at least."""
    known = [(ms, name) for ms, name in zip(suspect.onsets_ms, suspect.path, strict=False) if ms]
    if len(known) < 2 or len({ms for ms, _ in known}) < 2:
        return ""
    first = ", then ".join(f"{name} {clock(ms)}" for ms, name in sorted(known))
    return f"; off in this order: {first}"


def _by_metrics_alone(finding: Finding) -> bool:
    return not any(one.path for one in finding.suspects)


def joined(first: Sequence[Suspect], second: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Return the suspects of both, each with the mean of its shares, the likeliest first.

    Ties go to the longer path, then to the name. Where only one side names anybody, its shares
    stay as they are.
    """
    sides = [side for side in (first, second) if side]
    found: dict[str, Suspect] = {}
    for side in sides:
        for suspect in side:
            known = found.get(suspect.service)
            share = suspect.share / len(sides)
            longer = _longer(known, suspect)
            found[suspect.service] = (
                replace(suspect, share=share)
                if known is None
                else replace(
                    known,
                    share=known.share + share,
                    reason=f"{known.reason}; {suspect.reason}",
                    path=longer.path,
                    onsets_ms=longer.onsets_ms,
                    felt_by=known.felt_by or suspect.felt_by,
                    against=(*known.against, *suspect.against),
                )
            )
    ranked = sorted(found.values(), key=lambda one: (-one.share, -len(one.path), one.service))
    return tuple(ranked[:MAX_SUSPECTS])

"""What people were told against what is known now that late data have come: a pure comparison."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace

from anomaly.evidence.causes import shares_of
from anomaly.findings import Finding, FindingState


def corrections(
    told: Mapping[Hashable, Finding],
    known: Mapping[Hashable, Finding],
    ended: Mapping[Hashable, Finding],
    now_ms: int,
) -> Iterator[tuple[Hashable, Finding]]:
    """Yield the findings that put right what people were told.

    Args:
        told: What was open before the late data came, by what it is about.
        known: What is open with them.
        ended: What was over by now with them.
        now_ms: The present.
    """
    for key, finding in known.items():
        before = told.get(key)
        yield key, finding if before is None else _same(finding, before)
    for key, before in told.items():
        if key in known:
            continue
        after = ended.get(key)
        if after is not None:
            yield key, _same(after, before)
        else:
            yield key, _withdrawn(before, now_ms)


def unwatched(finding: Finding, now_ms: int) -> Finding:
    """Return ``finding`` at its end because its rule is gone from the configuration."""
    words = (
        "Its rule was taken out of the configuration or changed, or time was set back and it "
        "begins again, so this is not watched any more: that it ends here does not mean that it "
        f"is well again. Before: {finding.explanation}"
    )
    return replace(
        finding,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=now_ms,
        ended_ms=now_ms,
    )


def _same(finding: Finding, before: Finding) -> Finding:
    """Return ``finding`` as the one that people know.

    Its name and its moment stay, whether it woke them, and all that was found out about it since.
    """
    return replace(
        finding,
        id=before.id,
        detected_ms=before.detected_ms,
        urgency=before.urgency,
        exemplar_trace_ids=before.exemplar_trace_ids,
        changes=before.changes,
        suspects=before.suspects,
        lines=before.lines,
        values={**finding.values, **shares_of(before.values)},
    )


def _withdrawn(before: Finding, now_ms: int) -> Finding:
    words = (
        "Data that came late show that this did not happen: with them nothing is over its limit. "
        f"Before they came: {before.explanation}"
    )
    return replace(
        before,
        state=FindingState.RESOLVED,
        explanation=words,
        updated_ms=now_ms,
        ended_ms=before.started_ms,
    )

"""Which runbook is proposed for what fires now, and why another takes its place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from anomaly.findings import Finding, FindingState
from runbooks.automation.matching import Proposal, propose
from runbooks.automation.runbook import Runbook
from runbooks.incidents.commands import ProposeRunbook
from runbooks.incidents.incident import ProposedRunbook
from runbooks.incidents.live import speaking


def proposing(
    library: Sequence[Runbook],
    findings: Iterable[Finding],
    current: ProposedRunbook | None = None,
) -> list[ProposeRunbook]:
    """Return the command that proposes what fits best; none where what is proposed stays.

    Args:
        library: Runbooks there are.
        findings: Of the incident, as they are now; those that are over propose nothing.
        current: What is proposed already.
    """
    live = [f for f in speaking(findings) if f.state is not FindingState.RESOLVED]
    best = propose(library, live)
    if best is None or (current is not None and current.is_begun):
        return []
    if current is None:
        return [_command(best)]
    kept = propose([one for one in library if one.name == current.name], live)
    if best.runbook.name == current.name or (kept is not None and kept.score >= best.score):
        return []
    return [_command(best, _instead(current, kept))]


def _instead(current: ProposedRunbook, kept: Proposal | None) -> str:
    """Return why another takes the place of ``current``."""
    if kept is None:
        return f"it was for {current.why}, and nothing that fires now asks for it"
    return f"that fits less well: {kept.why}"


def _command(proposal: Proposal, instead: str = "") -> ProposeRunbook:
    runbook = proposal.runbook
    return ProposeRunbook(
        name=runbook.name,
        title=runbook.title,
        why=proposal.why,
        score=proposal.score,
        step_ids=tuple(step.id for step in runbook.steps),
        step_titles=tuple(f"{step.title} ({step.kind})" for step in runbook.steps),
        instead=instead,
    )

"""What an escalation's step says. Pure."""

from __future__ import annotations

from runbooks.escalation.course import Action
from runbooks.escalation.policy import Policy
from runbooks.escalation.whom import Rung


def ringing_text(policy: Policy, action: Action, rung: Rung) -> str:
    """Return what is said when a level is rung, or has nobody to ring."""
    where = f"{policy.title}, level {action.level + 1} of {len(policy.levels)}"
    if action.round:
        where += f", round {action.round + 1} of {policy.repeats + 1}"
    missing = "; ".join(rung.missing)
    if not rung.anybody:
        return f"Rung: NOBODY ({where}: {missing}); the next level is rung at once"
    return f"Rung: {rung.names} ({where})" + (f"; {missing}" if missing else "")

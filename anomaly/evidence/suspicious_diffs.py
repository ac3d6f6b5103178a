"""Changes whose diff holds what could have made a finding: a reason to look there first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from anomaly.causes.commits.rank import Commit, Incident, culprit, ranked
from anomaly.causes.commits.symptom import troubles_of
from anomaly.evidence.causes import SUSPECT, shares_of
from anomaly.findings import Finding
from collectors.changes.change import SERVICE, Change

_FILE = re.compile(r"^\+\+\+ (?:b/)?(\S+)", re.MULTILINE)


def suspicious(changes: Sequence[Change], finding: Finding) -> Mapping[str, str]:
    """Return by its id what in a change could have made ``finding``; at most one is accused.

    Args:
        changes: Before the onset; those that came without a diff accuse nobody.
        finding: With the services that are suspect, the likeliest first.
    """
    commits = [_commit(change) for change in changes if change.diff]
    if not commits:
        return {}
    incident = _incident(finding)
    found = ranked(commits, incident)
    accused = culprit(found, incident)
    risks = {one.commit.id: one.risk for one in found}
    risk = risks[accused.id] if accused else None
    return {accused.id: risk.value} if accused and risk else {}


def _commit(change: Change) -> Commit:
    return Commit(
        id=change.id,
        message=change.summary,
        paths=tuple(_FILE.findall(change.diff)),
        diff=change.diff,
        deployed_to=(change.service,) if change.service else (),
    )


def _incident(finding: Finding) -> Incident:
    suspects = [name.removeprefix(SUSPECT) for name in shares_of(finding.values)]
    service = suspects[0] if suspects else finding.scope.get(SERVICE, "")
    messages = [finding.title, finding.expression]
    return Incident(
        service=service,
        affected={*suspects, finding.scope.get(SERVICE, "")} - {""},
        messages=messages,
        troubles=troubles_of(messages),
        outside=(),
    )

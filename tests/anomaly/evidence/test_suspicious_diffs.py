"""Changes whose diff holds what could have made a finding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.evidence.near_changes import change_words, with_changes
from anomaly.evidence.suspicious_diffs import suspicious
from anomaly.testing import example_finding
from collectors.changes.change import Change
from collectors.changes.store import ChangeStore
from collectors.host.journal import MemoryJournal

ONSET_MS = 1_700_000_000_000
STEP_MS = 5_000
TIMEOUT = "+++ b/play/client.go\n-\ttimeout: 5 * time.Second,\n+\ttimeout: 50 * time.Millisecond,"
TIDY = "+++ b/play/handler.go\n-\treq := decode(r)\n+\trequest := decode(r)"
SLOW = example_finding(
    title="Playback p99 latency rose to 2 s, expected 200 ms",
    expression="name,http.server.duration,:eq,p99",
    scope={"service.name": "playback"},
    started_ms=ONSET_MS,
)


def change(name: str, before_s: int, diff: str = "", service: str = "playback") -> Change:
    return Change(
        id=name,
        time_ms=ONSET_MS - before_s * 1_000,
        kind="deploy",
        summary=f"Deployed {name}",
        service=service,
        scope={"service.name": service},
        diff=diff,
    )


EARLY, LATE = change("early", 900, TIMEOUT), change("late", 30, TIDY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([EARLY, LATE], {"early": "a number is another"}),
        ([LATE], {}),
        ([replace(EARLY, diff="")], {}),
        ([replace(EARLY, service="billing", scope={})], {}),
        ([], {}),
    ],
)
def test_only_a_change_that_fits_is_accused(
    changes: list[Change], expected: dict[str, str]
) -> None:
    """Neither the nearest, nor one of another service, nor one whose diff nobody told."""
    assert suspicious(changes, SLOW) == expected


def test_it_comes_before_the_nearest_and_says_why() -> None:
    """Whoever reads the page looks at the change that can have done it first."""
    store = ChangeStore(MemoryJournal())
    store.add([EARLY, LATE])
    first, second = with_changes(SLOW, store, STEP_MS).changes
    assert (first.id, first.why, second.id, second.why) == (
        "early",
        "a number is another",
        "late",
        "",
    )
    assert change_words(first, ONSET_MS) == (
        "Deployed early (same service, playback), 15 min before the estimated onset; "
        "in its diff a number is another"
    )

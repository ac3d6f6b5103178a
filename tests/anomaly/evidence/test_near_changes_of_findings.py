"""Which changes are shown with a finding, in which order, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.evidence.near_changes import (
    LOOK_BACK_ELSEWHERE_MS,
    LOOK_BACK_MS,
    MAX_CANDIDATES,
    candidates,
    closeness,
    distance,
    relation_of,
    with_changes,
)
from anomaly.findings import Relation
from anomaly.testing import example_finding
from collectors.changes.change import Change
from collectors.changes.store import ChangeStore
from collectors.errors import StorageError
from collectors.host.journal import MemoryJournal

ONSET_MS = 1_700_000_000_000
STEP_MS = 5_000
HERE = {"service.name": "playback", "cloud.region": "us-east-1"}

FINDING = example_finding(scope=HERE, started_ms=ONSET_MS)


def change(before_s: float, service: str = "", region: str = "", name: str = "") -> Change:
    scope = {"service.name": service, "cloud.region": region}
    return Change(
        id=name or f"{service}/{region}/{before_s}",
        time_ms=ONSET_MS - int(before_s * 1_000),
        kind="deploy",
        summary=f"Deployed {service}",
        service=service,
        scope={key: value for key, value in scope.items() if value},
    )


def ranked(changes: Sequence[Change], suspects: Sequence[str] = ()) -> list[str]:
    return [near.id for near in candidates(changes, HERE, frozenset(suspects), ONSET_MS)]


@pytest.mark.parametrize(
    ("service", "region", "scope", "expected"),
    [
        ("playback", "us-east-1", HERE, Relation.SAME_SERVICE),
        ("playback", "", HERE, Relation.SAME_SERVICE),
        ("playback", "eu-west-1", HERE, Relation.OTHER_REGION),
        ("licence", "us-east-1", HERE, Relation.SUSPECT),
        ("licence", "eu-west-1", HERE, Relation.OTHER_REGION),
        ("", "us-east-1", HERE, Relation.SAME_REGION),
        ("", "", HERE, Relation.UNBOUND),
        ("search", "us-east-1", HERE, Relation.OTHER_SERVICE),
        ("search", "us-east-1", {"cloud.region": "us-east-1"}, Relation.SAME_REGION),
        ("search", "", {}, Relation.UNBOUND),
    ],
)
def test_how_places_relate(
    service: str, region: str, scope: Mapping[str, str], expected: Relation
) -> None:
    """Otherwise a deployment elsewhere would be shown as one to the same service."""
    assert relation_of(change(1, service, region), scope, {"licence"}) is expected


def test_the_same_place_comes_before_a_nearer_time() -> None:
    """Otherwise the likely change would be crowded out by newer ones elsewhere."""
    changes = [
        change(1_800, "playback", name="same"),
        change(60, "licence", name="suspect"),
        change(30, "", "us-east-1", name="region"),
        change(5, "search", name="other"),
    ]
    assert ranked(changes, ["licence"]) == ["same", "suspect", "region"]


def test_among_equals_the_nearest_in_time_comes_first() -> None:
    """Otherwise yesterday's deployment would come before the one just made."""
    changes = [change(s, "playback", name=str(s)) for s in (900, 40, 300)]
    assert ranked(changes) == ["40", "300", "900"]


def test_what_was_done_elsewhere_must_have_been_very_near() -> None:
    """Otherwise every page would list whatever was deployed anywhere."""
    far = LOOK_BACK_ELSEWHERE_MS / 1_000 + 1
    changes = [change(far, "search", name="far"), change(far - 2, "search", name="near")]
    changes += [change(far, "playback", name="own")]
    assert ranked(changes) == ["own", "near"]


@pytest.mark.parametrize(
    ("before_ms", "shown"),
    [
        (LOOK_BACK_MS + 1, False),
        (LOOK_BACK_MS, True),
        (0, True),
        (-STEP_MS, True),
        (-STEP_MS - 1, False),
    ],
)
def test_looks_back_so_far_and_no_further(before_ms: int, shown: bool) -> None:
    """And forward only as far as the onset is uncertain: a remedy is no cause."""
    store = ChangeStore(MemoryJournal())
    store.add([change(before_ms / 1_000, "playback")])
    found = with_changes(FINDING, store, STEP_MS).changes
    assert bool(found) is shown
    assert all(near.before_ms == before_ms for near in found)


def test_suspects_are_those_of_the_traces() -> None:
    """Otherwise what the traces accuse would not raise the change that was made to it."""
    store = ChangeStore(MemoryJournal())
    store.add([change(60, "licence"), change(30, "search")])
    accused = replace(FINDING, values={"suspect.licence": 0.9, "burn_rate_long": 3.0})
    assert with_changes(accused, store, STEP_MS).changes[0].relation is Relation.SUSPECT


class BrokenFinder:
    """Its disk is gone."""

    def between(self, start_ms: int, end_ms: int) -> Sequence[Change]:
        raise StorageError(f"no disk for {start_ms} to {end_ms}")


def test_a_finding_without_changes_is_better_than_none() -> None:
    """A change store that is down must not keep anybody from being woken."""
    assert with_changes(FINDING, BrokenFinder(), STEP_MS) == FINDING


@pytest.mark.parametrize(
    ("before_ms", "words"),
    [
        (40_000, "40 s before the estimated onset"),
        (500, "less than 1 s before the estimated onset"),
        (720_000, "12 min before the estimated onset"),
        (0, "within the step of the estimated onset"),
        (-3_000, "within the step of the estimated onset"),
    ],
)
def test_distances_in_words_never_name_a_cause(before_ms: int, words: str) -> None:
    """Nearness in time is no proof, and the words must not claim one."""
    assert distance(ONSET_MS - before_ms, ONSET_MS) == words


ANY = st.builds(
    change,
    st.integers(0, LOOK_BACK_MS // 1_000),
    st.sampled_from(["", "playback", "licence", "search"]),
    st.sampled_from(["", "us-east-1", "eu-west-1"]),
)


@given(changes=st.lists(ANY, unique_by=lambda c: c.id))
def test_nothing_closer_is_left_out(changes: list[Change]) -> None:
    """Whatever the changes, the closest of the own service is shown first."""
    found = candidates(changes, HERE, {"licence"}, ONSET_MS)
    order = [closeness(near) for near in found]
    assert order == sorted(order)
    assert len(found) <= MAX_CANDIDATES
    own = [c.time_ms for c in changes if relation_of(c, HERE, ()) is Relation.SAME_SERVICE]
    if own:
        assert found[0].time_ms == max(own)

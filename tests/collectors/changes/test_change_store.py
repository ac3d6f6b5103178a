"""Changes are kept once, in time's order, and outlive the process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.changes.change import Change
from collectors.changes.store import CHANGES, ChangeStore
from collectors.errors import StorageError
from collectors.host.journal import FileJournal, MemoryJournal


def change(time_ms: int, change_id: str = "", summary: str = "Deployed") -> Change:
    return Change(id=change_id or f"c{time_ms}", time_ms=time_ms, kind="deploy", summary=summary)


@given(times=st.lists(st.integers(0, 50)), start=st.integers(0, 50), end=st.integers(0, 50))
def test_finds_what_a_search_through_all_would_find(times: list[int], start: int, end: int) -> None:
    """A change at the edge of a range would be missing beside an outage."""
    store = ChangeStore(MemoryJournal())
    for number, time_ms in enumerate(times):
        store.add([change(time_ms, f"c{number}")])
    assert [c.time_ms for c in store.between(start, end)] == sorted(
        t for t in times if start <= t <= end
    )


def test_an_id_is_kept_once_and_the_first_stands() -> None:
    """A retry would change what was already shown."""
    store = ChangeStore(MemoryJournal())
    assert store.add([change(5, "a", "first"), change(5, "a", "second")]) == 1
    assert store.add([change(9, "a", "third"), change(6, "b")]) == 1
    assert [(c.id, c.summary) for c in store.between(0, 99)] == [("a", "first"), ("b", "Deployed")]


def test_a_later_telling_adds_the_end_once_and_it_outlives_the_process() -> None:
    """A deployment that ended would look as if it still went on."""
    journal = MemoryJournal()
    store = ChangeStore(journal)
    began = change(5, "a", "Deploying")
    done = replace(change(99, "a", "Deployed"), kind="other", end_ms=8)
    assert store.add([began]) == 1
    assert store.add([replace(done, end_ms=4)]) == 0  # before it began
    assert store.add([done, replace(done, end_ms=9, summary="again")]) == 1
    assert store.add([began, replace(done, end_ms=9)]) == 0
    kept = [replace(began, summary="Deployed", end_ms=8)]
    assert store.between(0, 99) == kept
    assert ChangeStore(journal).between(0, 99) == kept


def test_both_tellings_at_once_are_one_change() -> None:
    """Beginning and end in one request would be two changes."""
    store = ChangeStore(MemoryJournal())
    assert store.add([change(5, "a"), replace(change(5, "a", "Done"), end_ms=6)]) == 1
    assert [(c.time_ms, c.end_ms, c.summary) for c in store.between(0, 9)] == [(5, 6, "Done")]


def test_the_oldest_go_when_there_are_too_many() -> None:
    """Memory would grow with every deployment, or the newest be lost."""
    store = ChangeStore(MemoryJournal(), max_changes=3)
    store.add(change(t) for t in range(10))
    assert [c.time_ms for c in store.between(0, 99)] == [7, 8, 9]
    assert len(store) == 3
    assert store.add([change(7)]) == 0


def test_outlives_a_process_that_never_closed_its_files(tmp_path: Path) -> None:
    """As after kill -9: nothing is flushed, nothing is closed."""
    killed = FileJournal.open(tmp_path, sync_interval_s=3600.0)
    ChangeStore(killed).add([change(1), change(2)])
    with (tmp_path / "00000001.log").open("ab") as file:
        file.write(b"\xf5TOC torn")
    journal = FileJournal.open(tmp_path)
    store = ChangeStore(journal)
    assert [c.time_ms for c in store.between(0, 9)] == [1, 2]
    assert store.add([change(2), change(3)]) == 1
    journal.close()
    killed.close()


def test_records_of_another_make_are_skipped() -> None:
    """A log of a newer version would keep the process from starting."""
    journal = MemoryJournal()
    for record in (
        b"{",
        b"[7]",
        b'[{"id": "a"}]',
        b'[{"id":"a","time_ms":1,"kind":"","summary":""}]',
    ):
        journal.append(CHANGES, record)
    assert [c.id for c in ChangeStore(journal).between(0, 9)] == ["a"]


class FullDisk(MemoryJournal):
    """Keeps nothing."""

    def append(self, kind: int, payload: bytes) -> None:
        raise StorageError(f"the disk is full: {len(payload)} bytes of kind {kind}")


def test_what_could_not_be_logged_is_not_shown() -> None:
    """A change would be shown that is gone after a restart."""
    store = ChangeStore(FullDisk())
    with pytest.raises(StorageError):
        store.add([change(1)])
    assert not store.between(0, 9)


def test_only_the_newest_diffs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline that sends diffs for years would fill the memory; the changes themselves stay."""
    monkeypatch.setattr("collectors.changes.store.MAX_DIFFS", 2)
    journal = MemoryJournal()
    store = ChangeStore(journal)
    for time_ms in (1, 2, 3):
        store.add([replace(change(time_ms), diff=f"+{time_ms}")])
    assert [(c.id, c.diff) for c in store.between(0, 9)] == [("c1", ""), ("c2", "+2"), ("c3", "+3")]
    assert [c.diff for c in ChangeStore(journal).between(0, 9)] == ["", "+2", "+3"]
    assert all("diff" not in c.to_json() for c in store.between(0, 9))

"""The log: what was appended is read back, and damage never reaches what came before it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.errors import StorageError
from collectors.host.journal import FileJournal, Journal, MemoryJournal, read_records

RECORDS = [(1, b"one"), (2, b"two" * 50), (1, b""), (1, b"\xf5TOC inside"), (2, bytes(300))]


def filled(directory: Path) -> Path:
    """Write RECORDS; return the segment."""
    journal = FileJournal.open(directory, sync_interval_s=60)
    for kind, payload in RECORDS:
        journal.append(kind, payload)
    journal.close()
    return directory / "00000001.log"


def read(path: Path) -> list[tuple[int, bytes]]:
    return [(kind, payload) for kind, payload, _ in read_records(path)]


@pytest.mark.parametrize("make", [lambda _: MemoryJournal(), FileJournal.open])
def test_replay_gives_each_kind_in_order(tmp_path: Path, make: object) -> None:
    """After a restart, records would be missing or in another order."""
    journal: Journal = make(tmp_path)  # type: ignore[operator]
    for kind, payload in RECORDS:
        journal.append(kind, payload)
    assert list(journal.replay(2)) == [payload for kind, payload in RECORDS if kind == 2]
    if isinstance(journal, FileJournal):
        journal.close()


def test_reopened_journal_goes_on(tmp_path: Path) -> None:
    """A restart would overwrite what was logged before it."""
    filled(tmp_path)
    journal = FileJournal.open(tmp_path)
    journal.append(3, b"later")
    assert list(journal.records()) == [*RECORDS, (3, b"later")]
    journal.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 10_000))
def test_truncation_loses_only_what_is_cut(tmp_path: Path, cut: int) -> None:
    """A kill in the middle of a write would lose the records before it."""
    path = filled(tmp_path)
    data = path.read_bytes()
    ends = [end for _, _, end in read_records(path)]
    path.write_bytes(data[: cut % (len(data) + 1)])
    whole = sum(end <= cut % (len(data) + 1) for end in ends)
    journal = FileJournal.open(tmp_path)
    assert list(journal.records()) == RECORDS[:whole]
    journal.append(9, b"new")
    assert list(journal.records()) == [*RECORDS[:whole], (9, b"new")]
    journal.close()
    path.unlink()


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_one_record(tmp_path: Path, at: int, bit: int) -> None:
    """One damaged record would lose all that follow."""
    path = filled(tmp_path)
    data = bytearray(path.read_bytes())
    at %= len(data)
    hit = sum(end <= at for _, _, end in read_records(path))
    data[at] ^= 1 << bit
    path.write_bytes(data)
    assert read(path) == [*RECORDS[:hit], *RECORDS[hit + 1 :]]
    path.unlink()


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_survived(tmp_path: Path, data: bytes) -> None:
    """A damaged log would keep the process from starting."""
    path = tmp_path / "00000001.log"
    path.write_bytes(data)
    journal = FileJournal.open(tmp_path)
    journal.append(1, b"x")
    assert (1, b"x") in list(journal.records())
    journal.close()
    path.unlink()


def test_segments_roll_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    """The log would fill the disk."""
    journal = FileJournal.open(tmp_path, segment_bytes=1_000, keep_bytes=3_000)
    for i in range(40):
        journal.append(1, bytes([i]) * 400)
    kept = list(journal.replay(1))
    assert kept[-1] == bytes([39]) * 400
    assert 3_000 <= sum(map(len, kept)) <= 6_000
    journal.close()


def test_trim_keeps_what_was_rolled_to(tmp_path: Path) -> None:
    """A checkpoint would drop what was logged while it was written."""
    journal = FileJournal.open(tmp_path)
    journal.append(1, b"old")
    segment = journal.roll()
    journal.append(1, b"new")
    journal.trim(segment)
    assert list(journal.replay(1)) == [b"new"]
    journal.close()


def test_a_segment_that_can_not_begin_loses_nothing(tmp_path: Path) -> None:
    """A disk that refuses a new file would lose records."""
    obstacle = tmp_path / "00000002.log"
    journal = FileJournal.open(tmp_path, segment_bytes=300)
    obstacle.mkdir()
    for i in range(3):
        journal.append(1, bytes([i]) * 200)
    with pytest.raises(StorageError, match="can't begin a log segment"):
        journal.roll()
    obstacle.rmdir()
    journal.append(1, b"after")
    assert journal.roll() == 2
    assert list(journal.replay(1)) == [*(bytes([i]) * 200 for i in range(3)), b"after"]
    journal.close()


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The operator would see a traceback instead of the path."""
    (tmp_path / "log").write_text("")
    with pytest.raises(StorageError, match="can't open the log"):
        FileJournal.open(tmp_path / "log")

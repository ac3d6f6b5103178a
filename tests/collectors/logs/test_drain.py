"""Patterns of lines: the same for lines alike, the same after a start, bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.logs import drain
from collectors.logs.drain import REST, Drain, masked
from collectors.logs.mining import Miner
from tests.collectors.logs.lines import batch


def test_lines_alike_share_a_pattern_and_others_do_not() -> None:
    """What is new would drown among as many patterns as there are lines."""
    found = Drain()
    same = [
        found.of("shop", f"user {name} logged in from {where}")
        for name, where in (("ann", "10.0.0.1"), ("bob", "10.0.0.2"), ("eve", "home"))
    ]
    other = found.of("shop", "payment of 12 EUR failed: card declined")
    elsewhere = found.of("web", "user ann logged in from 10.0.0.1")
    assert len(set(same)) == 1
    assert len({same[0], other, elsewhere}) == 3
    assert found.patterns[same[0]].text == "user <*> logged in from <*>"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("took 12.5ms", "took <*>"),
        ("id=0af76519-16cd-43dd ok", "id=<*> ok"),
        ("GET /a/7?x=1 200", "GET <*>=<*> <*>"),
        ("no number", "no number"),
        ("", ""),
    ],
)
def test_words_with_digits_are_masked(text: str, shape: str) -> None:
    """A counter in a line would make a pattern of each."""
    assert masked(text) == shape


def test_a_flood_of_patterns_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that writes random words would take all memory, and hide that it does."""
    monkeypatch.setattr(drain, "MAX_PATTERNS", 10)
    found = Drain()
    words = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    numbers = [found.of("noise", f"{word} {word}x {word}y") for word in words]
    assert len(found.patterns) == 11
    assert numbers.count(REST) == found.overflowed == len(words) - 10


def test_a_pattern_keeps_its_name_and_first_sight_over_a_start(tmp_path: Path) -> None:
    """Everything would be new after each deployment of ours."""
    lines = batch("user ann has 3 items", "user bob has 4 items")
    miner = Miner(tmp_path / "patterns.json")
    [number, _] = miner.patterns_of(lines).tolist()
    miner.save()
    again = Miner(tmp_path / "patterns.json")
    later = batch("user eve has 5 items", first_ms=1_700_000_900_000)
    [same] = again.patterns_of(later).tolist()
    before, after = miner.patterns()[number], again.patterns()[same]
    assert (before.name, before.first_ns, before.words) == (
        after.name,
        after.first_ns,
        after.words,
    )
    assert after.last_ns == 1_700_000_900_000_000_000


def test_a_damaged_file_of_patterns_is_no_reason_to_fail(tmp_path: Path) -> None:
    """A disk that was full once would keep the server from starting."""
    path = tmp_path / "patterns.json"
    path.write_bytes(b'[["a", ')
    assert len(Miner(path).patterns()) == 1
    (tmp_path / "directory").mkdir()
    assert len(Miner(tmp_path / "directory").patterns()) == 1

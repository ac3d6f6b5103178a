"""Announced changes: what a stranger may send, and what is said about the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.changes.reader import MAX_CHANGES, MAX_DIFF_CHARS, read_changes
from collectors.errors import InputError

NOW_MS = 1_800_000_000_000
GOOD = {"kind": "deploy", "summary": "Deployed playback 2.0", "time_ms": NOW_MS - 1_000}


def read(*entries: Any) -> Any:
    return read_changes(orjson.dumps(list(entries)), NOW_MS)


def test_reads_every_field() -> None:
    """A field that a pipeline sends would be lost."""
    given_fields = {
        **GOOD,
        "id": "ci-77",
        "service": "playback",
        "scope": {"cloud.region": "us-east-1"},
        "url": "https://ci.example/builds/77?a=b#c",
        "author": "ci",
        "end_ms": NOW_MS,
    }
    (change,) = read(given_fields).changes
    assert change.to_json() == {
        **given_fields,
        "scope": {"cloud.region": "us-east-1", "service.name": "playback"},
    }


@pytest.mark.parametrize(
    ("entry", "field", "expected"),
    [
        ({"summary": "x"}, "time_ms", NOW_MS),
        ({"summary": "x"}, "kind", "change"),
        ({"summary": "x"}, "end_ms", None),
        ({**GOOD, "end": "2027-01-15T08:00:00Z"}, "end_ms", NOW_MS),
        ({"summary": "x", "end_ms": NOW_MS - 9}, "time_ms", NOW_MS - 9),
        ({"summary": "x", "time": "2027-01-15T09:00:00+01:00"}, "time_ms", NOW_MS),
        ({"summary": "x", "time": "2027-01-15T08:00:00Z"}, "time_ms", NOW_MS),
        ({"text": "Scaled  it\n up"}, "summary", "Scaled it up"),
        ({"summary": "x", "scope": {"service.name": "auth"}}, "service", "auth"),
    ],
)
def test_fills_in_what_is_not_said(entry: dict[str, Any], field: str, expected: object) -> None:
    """A change told in one line would be refused, or have no time."""
    (change,) = read(entry).changes
    assert getattr(change, field) == expected


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("deploy", "notAnObject"),
        ({"kind": "deploy"}, "summaryMissing"),
        ({**GOOD, "summary": " \t "}, "summaryMissing"),
        ({**GOOD, "summary": "x" * 501}, "tooLong"),
        ({**GOOD, "summary": "a\x07b"}, "notText"),
        ({**GOOD, "summary": "a\u202eb"}, "notText"),
        ({**GOOD, "id": 7}, "notText"),
        ({**GOOD, "url": "javascript:alert(1)"}, "urlInvalid"),
        ({**GOOD, "url": "https://x/|y>"}, "urlInvalid"),
        ({**GOOD, "scope": ["a"]}, "scopeInvalid"),
        ({**GOOD, "scope": {"": "a"}}, "scopeInvalid"),
        ({**GOOD, "scope": {str(i): "a" for i in range(21)}}, "tagsTooMany"),
        ({**GOOD, "scope": {"a": "b" * 256}}, "tooLong"),
        ({**GOOD, "time_ms": NOW_MS // 1_000}, "timeInvalid"),
        ({**GOOD, "time_ms": NOW_MS + 3_600_000}, "timeInvalid"),
        ({**GOOD, "end_ms": NOW_MS - 2_000}, "timeInvalid"),
        ({**GOOD, "end_ms": NOW_MS // 1_000}, "timeInvalid"),
        ({**GOOD, "time_ms": True}, "timeInvalid"),
        ({**GOOD, "time_ms": "yesterday"}, "timeInvalid"),
        ({**GOOD, "time_ms": "2027-01-15T08:00:00"}, "timeInvalid"),
    ],
)
def test_refuses_one_and_keeps_the_others(entry: object, reason: str) -> None:
    """One bad change would lose the good ones, or be kept half read."""
    reading = read(GOOD, entry, GOOD)
    assert len(reading.changes) == 2
    assert [r.reason for r in reading.rejected] == [reason]
    assert reading.rejected[0].detail.startswith("changes[1]: ")


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'"text"', b"[" * 100_000, b"\xff"])
def test_refuses_what_is_no_announcement(body: bytes) -> None:
    """A stranger's bytes would be an internal error."""
    with pytest.raises(InputError):
        read_changes(body, NOW_MS)


def test_refuses_too_many_at_once() -> None:
    """One request could fill the store."""
    with pytest.raises(InputError, match="at most"):
        read(*[GOOD] * (MAX_CHANGES + 1))


def test_the_same_change_has_the_same_id_and_another_has_another() -> None:
    """A change told twice would be two, or two changes one."""
    (first, again), (other,) = (
        read(GOOD, GOOD).changes,
        read({**GOOD, "scope": {"zone": "a"}}).changes,
    )
    assert first.id == again.id != other.id


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["id", "time", "time_ms", "end_ms", "kind", "summary", "scope", "url", "service"]
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_object_is_kept_or_refused_with_a_reason(entry: dict[str, Any]) -> None:
    """A change would vanish without a reason."""
    body = orjson.dumps(entry, option=orjson.OPT_NON_STR_KEYS, default=str)
    try:
        reading = read_changes(body, NOW_MS)
    except InputError:
        return
    assert len(reading.changes) + len(reading.rejected) == 1
    for change in reading.changes:
        assert change.summary
        assert change.id


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """A stranger's bytes would be an internal error."""
    with suppress(InputError):
        read_changes(body, NOW_MS)


def test_a_diff_is_cut_and_kept_as_it_is() -> None:
    """A pipeline that sends all it has would lose its announcement."""
    told = "+\tload(x)\n" * 10_000
    (change,) = read({"summary": "Deployed", "diff": told}).changes
    assert change.diff == told[:MAX_DIFF_CHARS]
    (refused,) = read({"summary": "Deployed", "diff": 7}).rejected
    assert refused.reason == "notText"

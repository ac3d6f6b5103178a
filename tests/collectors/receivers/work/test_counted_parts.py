"""Parts of a body are counted before anything is made of them, and never too few."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.receivers.testing import fuzzing
from collectors.receivers.work.json_parts import count_json
from collectors.receivers.work.wire_parts import count_fields

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)
TRACES = ExportTraceServiceRequest.DESCRIPTOR


def containers(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return isinstance(value, dict | list) + sum(map(containers, inner))


def levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return isinstance(value, dict | list) + max(map(levels, inner), default=0)


def leaves(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [0]
    return sum(map(leaves, inner)) if isinstance(value, dict | list) else 1


@given(DOCUMENTS)
def test_a_json_text_holds_what_it_becomes(document: Any) -> None:
    """A body could bring more than was counted, and take the memory of all."""
    found = count_json(orjson.dumps(document))

    assert (found.containers, found.depth) == (containers(document), levels(document))
    assert found.parts + 1 >= leaves(document)


@pytest.mark.parametrize(
    ("text", "parts"),
    [(b"", 0), (b'"[[[,,,"', 1), (rb'["a\"[,", 1]', 3), (b"[[[[", 4), (b"]]],", 1), (b'"cut', 1)],
)
def test_what_is_quoted_or_cut_is_counted_as_it_stands(text: bytes, parts: int) -> None:
    """Brackets within a text would refuse an honest body."""
    assert count_json(text).parts == parts


def fields(raw: bytes, message: Any) -> int:
    """Return the fields of a parsed message and all within it."""
    found = 0
    for field, value in message.ListFields():
        many = value if field.is_repeated else [value]
        found += len(many)
        if field.message_type is not None:
            found += sum(fields(b"", inner) for inner in many)
    return found


def test_fields_of_all_levels_are_counted() -> None:
    """Messages within messages would be made without being counted."""
    message = fuzzing.otlp_traces()
    body = message.SerializeToString()

    assert count_fields(body, TRACES, 10_000) == fields(body, message)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"", 0),
        (b"\x0a\x00" * 5, 5),
        (b"\x0a\x02\x12\x00" * 5, 10),
        (b"\x0a\x7f", 1),  # cut
        (b"\x0a\x00\x0b\x0a\x00", 2),  # a group, which nobody sends
        (b"\xff" * 20, 0),
        (b"\x0a\x00" * 500, 101),  # no further than asked
    ],
)
def test_counting_ends_at_damage_and_at_the_bound(body: bytes, count: int) -> None:
    """Damage could keep the rest from being counted although a parser gets as far."""
    assert count_fields(body, TRACES, 100) == count


@given(st.binary(max_size=300))
def test_any_bytes_are_counted(body: bytes) -> None:
    """A stranger's bytes would read beyond the body, or for ever."""
    assert 0 <= count_fields(body, TRACES, 50) <= 51
    assert count_json(body).parts <= len(body)

"""Texts taken out of a body at once: the same as one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.store.wire.plain_texts import plain_texts
from collectors.tag_rules import legal_text

MOST = 5
texts = st.one_of(
    st.text("ab-._^~Z9", max_size=MOST + 1).map(str.encode),
    st.text(max_size=4).map(str.encode),
    st.binary(max_size=4),
)


def is_plain(raw: bytes) -> bool:
    text = raw.decode("utf-8", "replace")
    return 0 < len(text) <= MOST and legal_text(text) == text


@settings(deadline=None)
@given(st.lists(texts, max_size=20))
def test_as_one_by_one(raw: list[bytes]) -> None:
    body = np.frombuffer(b"".join(raw), dtype=np.uint8)
    lengths = np.array([len(text) for text in raw], dtype=np.int64)
    ends = np.cumsum(lengths)
    spots = np.stack((ends - lengths, ends), axis=1)
    found, plain = plain_texts(body, spots, MOST)
    assert plain.tolist() == [is_plain(text) for text in raw]
    assert found == [text.decode() for text in raw if is_plain(text)]


@pytest.mark.parametrize("byte", [0, 10, 13, 28, 32, 47, 58, 96, 127, 128, 255])
def test_no_other_byte_passes(byte: int) -> None:
    body = np.array([97, byte, 98], dtype=np.uint8)
    assert plain_texts(body, np.array([[0, 3]]), MOST)[0] == []

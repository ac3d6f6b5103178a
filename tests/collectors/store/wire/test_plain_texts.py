"""Texts taken out of a body at once: the same as one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.store.wire.plain_texts import plain_texts

MAX_CHARS = 5
texts = st.one_of(
    st.text("ab-._^~Z9", max_size=MAX_CHARS + 1).map(str.encode),
    st.text(max_size=MAX_CHARS + 1).map(str.encode),
    st.binary(max_size=4),
)


def is_plain(raw: bytes) -> bool:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    return 0 < len(text) <= MAX_CHARS and "\n" not in text


@settings(deadline=None)
@given(st.lists(texts, max_size=20))
def test_as_one_by_one(raw: list[bytes]) -> None:
    """Names would be taken for plain that must be cleaned, or the other way round."""
    body = np.frombuffer(b"".join(raw), dtype=np.uint8)
    lengths = np.array([len(text) for text in raw], dtype=np.int64)
    ends = np.cumsum(lengths)
    spots = np.stack((ends - lengths, ends), axis=1)
    found, plain = plain_texts(body, spots, MAX_CHARS)
    assert plain.tolist() == [is_plain(text) for text in raw]
    assert found == [text.decode() for text in raw if is_plain(text)]


ODD = {
    "the end of a line": b"a\nb",
    "a lone continuation byte": b"a\x80",
    "an overlong slash": b"\xc0\xaf",
    "an overlong euro sign": b"\xf0\x82\x82\xac",
    "a surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "cut short": b"\xe6\x9d",
    "cut by an ASCII letter": b"\xe6\x9da",
    "no lead byte": b"\xff",
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_left_to_others(what: str) -> None:
    """Bytes that are no text would become a name that nobody sent."""
    body = np.frombuffer(ODD[what], dtype=np.uint8)
    assert plain_texts(body, np.array([[0, len(body)]]), MAX_CHARS)[0] == []
    assert not is_plain(ODD[what])


@pytest.mark.parametrize(
    "text", ["東京", "a/b c:d", "\0\x1b", "🙂\U0010ffff", "e\u0301", "\u2028\x85"]
)
def test_what_is_kept_as_it_is(text: str) -> None:
    """A text that only looks odd is what was sent."""
    body = np.frombuffer(text.encode(), dtype=np.uint8)
    assert plain_texts(body, np.array([[0, len(body)]]), 10)[0] == [text]

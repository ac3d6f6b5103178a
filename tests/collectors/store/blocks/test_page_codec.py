"""Packing loses nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from collectors.store.blocks.page_codec import pack_pages, unpack_pages

small = st.integers(-30_000, 30_000)
values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    small.map(float),
    small.map(lambda k: k / 60),
    small.map(lambda k: k / 100),
)


@settings(max_examples=200, deadline=None)
@given(pages=arrays(np.float64, st.tuples(st.integers(0, 4), st.just(6)), elements=values))
def test_pages_come_back_equal(pages: np.ndarray) -> None:
    """Packing a page would change what was measured."""
    np.testing.assert_array_equal(unpack_pages(pack_pages(pages, 60_000), 6), pages)


def test_rates_of_counters_pack() -> None:
    """Most of memory would be taken by pages that could be small."""
    pages = np.arange(120, dtype=np.float64).reshape(2, 60) * 7 / 60
    pages[0, 5] = np.nan
    packed = pack_pages(pages, 60_000)
    assert packed.offsets.shape == (2, 60)
    assert packed.raw.shape == (0, 60)

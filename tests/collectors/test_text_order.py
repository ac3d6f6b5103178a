"""Texts are sorted as Python sorts them, without its lock."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.text_order import FEW, text_order, text_ranks

texts = st.lists(st.text("ab\0é\U0001f600\ud800\uffff", max_size=20), max_size=60)


@settings(max_examples=50, deadline=None)
@given(some=texts)
def test_the_order_is_that_of_sorted(some: list[str]) -> None:
    """Groups would stand in another order once there are many of them."""
    many = [*some, *(f"x{i:05d}" for i in range(FEW + 1))]
    order = text_order(many).tolist()
    assert order == sorted(range(len(many)), key=many.__getitem__)
    numbers = np.array([*range(len(many)), *range(0, len(many), 3)], dtype=np.int32)
    ranks = text_ranks(many, numbers)
    assert [many[numbers[row]] for row in np.argsort(ranks, kind="stable")] == sorted(
        many[number] for number in numbers.tolist()
    )

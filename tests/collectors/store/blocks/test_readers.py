"""Pages that were given up are used again when nobody can be reading them, and then at once."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import numpy as np

from collectors.store.blocks.blocks import HotBlocks
from collectors.store.blocks.readers import Readers


def retire(blocks: HotBlocks, *pages: int) -> None:
    """Give raw pages up."""
    blocks.retire(np.array(pages, dtype=np.int32) + 1)


def test_pages_are_free_although_one_reader_follows_the_other_without_a_gap() -> None:
    """Queries that overlap would use the memory of the hot window up, and no series could come."""
    blocks = HotBlocks(step_ms=1, hot_window_ms=1, max_series=4, memory_bytes=1 << 20)
    readers = Readers([blocks], threading.Lock())
    first, second, third = ExitStack(), ExitStack(), ExitStack()
    first.enter_context(readers.reading())
    retire(blocks, 7)
    readers.recycle()
    second.enter_context(readers.reading())
    retire(blocks, 8)
    readers.recycle()
    assert blocks.waiting()[0] == 2  # the first may see page 7
    first.close()
    readers.recycle()
    assert blocks.waiting()[0] == 1  # the second may see page 8
    third.enter_context(readers.reading())
    readers.recycle()
    second.close()
    with readers.reading():
        third.close()
        readers.recycle()
        assert blocks.waiting()[0] == 0
    top = int(blocks.arrays.tally[0, 0])
    assert blocks.arrays.free[0, top - 2 : top].tolist() == [7, 8]

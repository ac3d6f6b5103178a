"""Compiles every kernel of the store ahead of time, so that a request is not a compilation.

``scripts/setup`` calls :func:`warm`, and a server once it listens; numba keeps the result on disk
beside the sources.
"""

from __future__ import annotations

import numpy as np

from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.store.blocks.aggregation import CF_AVG, SUM, aggregate
from collectors.store.blocks.blocks import HotBlocks, make_arrays
from collectors.store.blocks.flat_samples import fill, room_for
from collectors.store.blocks.ingest import ingest, ingest_rows
from collectors.store.blocks.page_codec import pack_pages, unpack_pages
from collectors.store.blocks.parts import ingest_parts
from collectors.store.blocks.readings import Readings
from collectors.store.blocks.sealing import Sealer, gather_pages
from collectors.store.blocks.step_samples import flatten
from collectors.store.intake.time_bounds import extremes_of
from collectors.store.series.slots import slot_of, slots_of
from collectors.store.series.table import NewSeries, SeriesTable
from collectors.store.series.tag_rows import intern_rows
from collectors.store.series.words import Words
from collectors.store.wire.counting import count_crowds
from collectors.store.wire.label_parts import find_label_parts
from collectors.store.wire.label_words import LabelWords
from collectors.store.wire.metadata import read_metadata
from collectors.store.wire.plain_texts import plain_texts
from collectors.store.wire.walker import walk
from collectors.store.wire.walker_v2 import walk_v2
from collectors.tag_rules import TagRules
from collectors.text_order import FEW, text_order


def warm() -> None:
    """Compile, or load what is compiled already; what receives samples comes first."""
    hot = make_arrays(series=1, ring_blocks=1, pages=1, step_ms=1)
    ids = np.zeros(1, dtype=np.int32)
    ingest(hot, ids, np.ones(1, dtype=np.int64), np.ones(1), 1, 1, 0)
    zero, one = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64)
    ingest_parts(hot, ids, zero, one, np.ones(1), 1)
    ingest_rows(hot, ids, ids, np.ones(0, dtype=np.int64), np.ones(0), 1, 1)
    extremes_of(ids, ids, np.ones(0, dtype=np.int64))
    unpack_pages(pack_pages(np.ones((1, 1)), 1000), 1)
    gather_pages(hot, 0, ids)
    flatten(
        np.ones((1, 1)),
        np.zeros((1, 1), np.int64),
        1,
        1,
        0,
        1,
        np.zeros(2, np.int64),
        one,
        np.ones(1),
        one,
    )
    blocks = HotBlocks(step_ms=1, hot_window_ms=1, max_series=1, memory_bytes=1)
    blocks.advance(0)
    readings = Readings(blocks, 1)
    readings.apply(ids, ids, np.ones(0, dtype=np.int64), np.ones(0))
    fill(blocks, readings, ids, (0, 1), (0, 1), room_for(1, 1))
    Sealer(blocks).seal_block(0, 1)
    for multiple in (1, 2):
        aggregate(hot, ids, ids, groups=1, first=0, columns=1, op=SUM, multiple=multiple, cf=CF_AVG)
    body = np.array([0x0A, 0], dtype=np.uint8)
    body.flags.writeable = False  # as bytes from the network are
    columns = walk(body, seed=1)
    walk_v2(body, seed=1)
    read_metadata(body, 1)
    count_crowds(body, 1)
    plain_texts(body, np.zeros((0, 2), np.int64), 1)
    words, table = Words(), SeriesTable(1)
    rules = TagRules(Limits())
    names = LabelWords(words, rules, 1, MetricKinds())
    names.rows(find_label_parts(body, columns.labels), np.zeros(1, dtype=np.int8), room=0)
    table.kinds(intern_rows(words, []))
    tags = intern_rows(table.words, [{"name": "a"}])
    table.put(NewSeries(ids=ids, identities=tags.identities(table.words), tags=tags))
    table.view().values(ids, "name")
    slots_of(table.view(), ids)
    slot_of({"name": "a"})
    table.drop(ids)
    text_order(["a"] * (FEW + 1))
    tags.known()


if __name__ == "__main__":
    warm()

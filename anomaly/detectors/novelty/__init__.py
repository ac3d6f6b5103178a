"""Novelty: what a series has never done before, at any scale, with nothing to set.

How far a value is from the time of day's usual one, how unlike anything remembered the newest pair
of values is, and how unusually quiet the series has become: each is ranked among what this series
has shown so far, so that no unit, scale or distribution needs to be known.

::

    value ─▶ day: residual ─┬───────────────────▶ tails: p of its size ───┐
                            └─▶ patterns: distance ─▶ tails: p of it ─────┼─▶ surprise
    value ─▶ quiet: movement ───────────────────▶ tails: p of so little ──┘       │
                                     phase ◀─ lasting ◀─ paging ◀─ alarming ◀─────┘
"""

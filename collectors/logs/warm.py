"""Compiles the kernels of log records ahead of time: the first search would wait for it."""

from __future__ import annotations

from collectors.logs.words import pair_hash, word_hashes


def warm() -> None:
    """Compile, or load what is compiled already."""
    word_hashes("a")
    pair_hash("a", "b")


if __name__ == "__main__":
    warm()

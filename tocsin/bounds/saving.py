"""What bounds files that are written from pages, and what is read of backups."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

SAVING: Final = (
    Bound("tocsin.saving.writer:MAX_TEXT_BYTES", "a file of the configuration directory written from a page", "413"),
    Bound("tocsin.saving.writer:MAX_FILES", "files in a folder that pages write to", "409: nothing is written"),
    Bound("tocsin.saving.asked:MAX_WORDS", "a title of what is written from a page, characters", "400"),
    Bound("tocsin.saving.asked:MAX_EXPRESSION", "an expression in what is written from a page, characters", "400"),
    Bound("tocsin.backup.restoring:MAX_TEXT_BYTES", "what a backup says of itself, and its sums", "1: nothing is restored"),
    Bound("anomaly.api.expected:MAX_EXPECTED_LINES", "lines whose usual range is told at once", "400: aggregate them"),
)  # fmt: skip

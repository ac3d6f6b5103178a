"""What a stranger may send and how much memory the store may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLimits:
    """Bounds of a metric store; the defaults are looser than Atlas's.

    Attributes:
        max_tags: Tags a series may have, the name among them.
        max_key_length: Characters in a tag key.
        max_value_length: Characters in a tag value, the name among them.
        max_body_bytes: Size of a remote-write body after decompression.
        max_series: Series held at once; more are refused until others expire.
        memory_bytes: Memory for hot blocks. Every admitted series has room for the whole hot
            window, so the bound refuses *new* series and never data of known ones.
        new_series_per_minute: New series admitted in any minute of the store's clock.
        max_future_ms: How far ahead of the clock a sample may be.
        zero_point_ms: A counter of remote write 2.0 first seen at most this long after its start
            gets a zero at its start.
        max_fetch_values: Lines × columns that one fetch may answer.
        grace_ms: How long after the end of an interval it counts as complete, for samples that
            are still on their way.
        checkpoint_log_bytes: Log written since the last checkpoint that starts the next one.
        history_settle_ms: How long a block waits for late samples before history takes it.
        history_samples_ms: Age at which history rolls whole days up.
        history_retention_ms: Age at which history drops rollups.
        journal_bytes: Size at which the oldest segments of the shared journal are dropped.
    """

    max_tags: int = 30
    max_key_length: int = 120
    max_value_length: int = 255
    max_body_bytes: int = 64 << 20
    max_series: int = 2_000_000
    memory_bytes: int = 4 << 30
    new_series_per_minute: int = 2_000_000
    max_future_ms: int = 120_000
    zero_point_ms: int = 5 * 60_000
    max_fetch_values: int = 50_000_000
    grace_ms: int = 0
    checkpoint_log_bytes: int = 256 << 20
    history_settle_ms: int = 120_000
    history_samples_ms: int = 14 * 86_400_000
    history_retention_ms: int = 400 * 86_400_000
    journal_bytes: int = 512 << 20

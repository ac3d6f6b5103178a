"""A share: what one node hands another of what it was sent, and what becomes of it there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.cluster.frames import Frame, packed, unpacked
from collectors.errors import DecodeError
from collectors.model import Batch, Parts, Receipt, Rejection
from collectors.store.metric_store import MetricStore
from collectors.store.wire.remote_body import decompressed

_MAX_REJECTIONS = 1_000


class ShareKind(StrEnum):
    """What a share's body is."""

    REMOTE = "remote"
    REMOTE_V2 = "remote2"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Some series of a request.

    Attributes:
        kind: What ``body`` is.
        body: A remote-write body, or a batch; compressed.
        samples: How many samples it has.
        batch: The batch itself, where ``body`` is not made yet.
        number: Stands for it: a node that has kept it answers the same once more.
    """

    kind: ShareKind
    samples: int
    body: bytes = b""
    batch: Batch | None = None
    number: str = field(default_factory=lambda: secrets.token_hex(8))


def packed_share(share: Share) -> bytes:
    """Return a share as bytes."""
    head = [share.kind.value, share.samples, share.number]
    body = share.body if share.batch is None else packed_batch(share.batch)
    return packed(Frame(head=head, arrays={"body": np.frombuffer(body, dtype=np.uint8)}))


def share_from(data: bytes) -> Share:
    """Return the share that bytes are.

    Raises:
        DecodeError: They are none.
    """
    frame = unpacked(data)
    try:
        kind, samples, number = frame.head
        body = frame.arrays["body"].tobytes()
        return Share(kind=ShareKind(kind), body=body, samples=int(samples), number=str(number))
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError(f"no share: {str(frame.head)[:80]}") from error


def kept(store: MetricStore, share: Share, max_bytes: int) -> Receipt:
    """Keep a share in a store.

    Raises:
        DecodeError: It is not what it says.
        TooLargeError: It is too large.
        StorageError: The log failed.
    """
    if share.kind is ShareKind.REMOTE:
        return store.write_remote(share.body)
    if share.kind is ShareKind.REMOTE_V2:
        return store.write_remote_v2(share.body)
    return store.write(batch_from(share.body, max_bytes) if share.batch is None else share.batch)


# -- batches -------------------------------------------------------------------------------------


def part_of(batch: Batch, chosen: NDArray[np.bool_]) -> Batch:
    """Return the part of a batch that belongs to some of its series, (S,)."""
    if chosen.all():
        return batch
    place = np.cumsum(chosen, dtype=np.int32) - np.int32(1)
    rows = chosen[batch.series_index]
    parts = batch.parts
    if parts is not None:
        some = chosen[parts.series_index]
        parts = Parts(
            series_index=place[parts.series_index[some]],
            start_ms=parts.start_ms[some],
            time_ms=parts.time_ms[some],
            value=parts.value[some],
        )
    return Batch(
        series=[batch.series[n] for n in np.flatnonzero(chosen).tolist()],
        series_index=place[batch.series_index[rows]],
        time_ms=batch.time_ms[rows],
        value=batch.value[rows],
        parts=parts,
        whole_resets=batch.whole_resets,
    )


def packed_batch(batch: Batch) -> bytes:
    """Return a batch without its exemplars, which stay where they were received."""
    arrays: dict[str, NDArray[Any]] = {
        "index": batch.series_index,
        "time": batch.time_ms,
        "value": batch.value,
    }
    if batch.parts is not None:
        arrays |= {
            "part_index": batch.parts.series_index,
            "part_start": batch.parts.start_ms,
            "part_time": batch.parts.time_ms,
            "part_value": batch.parts.value,
        }
    head = {"series": [dict(tags) for tags in batch.series], "whole": batch.whole_resets}
    return bytes(cramjam.snappy.compress_raw(packed(Frame(head=head, arrays=arrays))))


def batch_from(body: bytes, max_bytes: int) -> Batch:
    """Return the batch that bytes are.

    Raises:
        DecodeError: They are none.
        TooLargeError: It takes more than ``max_bytes``.
    """
    frame = unpacked(decompressed(body, max_bytes).tobytes())
    arrays = frame.arrays
    try:
        series = [{str(k): str(v) for k, v in tags.items()} for tags in frame.head["series"]]
        parts = None
        if "part_index" in arrays:
            parts = Parts(
                series_index=_within(arrays["part_index"], len(series)),
                start_ms=arrays["part_start"].astype(np.int64),
                time_ms=arrays["part_time"].astype(np.int64),
                value=arrays["part_value"].astype(np.float64),
            )
        batch = Batch(
            series=series,
            series_index=_within(arrays["index"], len(series)),
            time_ms=arrays["time"].astype(np.int64),
            value=arrays["value"].astype(np.float64),
            parts=parts,
            whole_resets=bool(frame.head["whole"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DecodeError("a node's share is no batch") from error
    _check_lengths(batch)
    return batch


def _within(index: NDArray[Any], count: int) -> NDArray[np.int32]:
    if len(index) and not (index.min() >= 0 and index.max() < count):
        raise DecodeError(f"a node's share names series beyond its {count}")
    return index.astype(np.int32)


def _check_lengths(batch: Batch) -> None:
    lengths = {len(batch.series_index), len(batch.time_ms), len(batch.value)}
    parts = batch.parts
    of_parts = {0}
    if parts is not None:
        of_parts = {len(parts.series_index), len(parts.start_ms), len(parts.time_ms), len(parts)}
    if len(lengths) != 1 or len(of_parts) != 1:
        raise DecodeError("a node's share has columns of different lengths")


# -- receipts ------------------------------------------------------------------------------------


def plain_receipt(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt as plain values."""
    rejected = [
        [one.reason, one.detail, dict(one.tags), one.count]
        for one in receipt.rejected[:_MAX_REJECTIONS]
    ]
    left = sum(one.count for one in receipt.rejected[_MAX_REJECTIONS:])
    if left:
        rejected.append(["others", "more were refused", {}, left])
    return {"accepted": receipt.accepted, "rejected": rejected}


def receipt_from(plain: Mapping[str, Any]) -> Receipt:
    """Return the receipt that plain values stand for.

    Raises:
        DecodeError: They stand for none.
    """
    try:
        rejected = [
            Rejection(reason=str(reason), detail=str(detail), tags=dict(tags), count=int(count))
            for reason, detail, tags, count in plain["rejected"]
        ]
        return Receipt(accepted=int(plain["accepted"]), rejected=rejected)
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError("a node's answer is no receipt") from error

"""Where receivers deliver in a cluster: batches and remote-write bodies, divided by their slots."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.cluster.sharing.bodies import BodyDivider, Divisible
from collectors.cluster.sharing.delivering import Delivery
from collectors.cluster.sharing.shares import Share, ShareKind, part_of
from collectors.limits import Limits
from collectors.metric_kinds import MetricKinds
from collectors.model import Batch, Receipt
from collectors.remote_bodies import RemoteReceipt
from collectors.store.series.slots import SlotFinder


@dataclass(frozen=True, slots=True)
class _BatchRows:
    """A batch by its series."""

    batch: Batch
    slots: NDArray[np.uint8]
    counts: NDArray[np.int64]

    def share(self, chosen: NDArray[np.bool_]) -> Share:
        """Return the part of some series."""
        part = part_of(self.batch, chosen)
        return Share(kind=ShareKind.BATCH, batch=part, samples=len(part))


@dataclass(frozen=True, slots=True)
class _BodyRows:
    """A remote-write body by its series."""

    body: Divisible
    kind: ShareKind
    slots: NDArray[np.uint8]
    counts: NDArray[np.int64]

    def share(self, chosen: NDArray[np.bool_]) -> Share:
        """Return the body of some series."""
        samples = int(self.counts[chosen].sum())
        return Share(kind=self.kind, body=self.body.part(chosen), samples=samples)


class SharingWriter:
    """Takes whatever a store takes, and has it kept where it belongs; safe for many threads.

    Args:
        delivery: Hands shares to nodes.
        limits: Bounds on bodies.
        metric_kinds: What senders said of metrics, as this node's store knows it.
    """

    def __init__(self, delivery: Delivery, limits: Limits, metric_kinds: MetricKinds) -> None:
        self.metric_kinds = metric_kinds
        self._delivery = delivery
        self._divider = BodyDivider(limits)
        self._lock = threading.Lock()
        self._finder = SlotFinder()

    def write(self, batch: Batch) -> Receipt:
        """Keep a batch on the nodes that hold its series.

        Raises:
            OverloadedError: Some of it is on no node.
        """
        with self._lock:
            slots = self._finder.of(batch.series)
        counts = np.bincount(batch.series_index, minlength=len(batch.series)).astype(np.int64)
        if batch.parts is not None:
            counts += np.bincount(batch.parts.series_index, minlength=len(batch.series))
        return self._delivery.deliver(_BatchRows(batch, slots, counts))

    def write_remote(self, body: bytes) -> RemoteReceipt:
        """Keep a snappy-compressed 1.0 body on the nodes that hold its series.

        Raises:
            DecodeError: The body is not what the protocol says.
            TooLargeError: It is too large after decompression.
            OverloadedError: Some of it is on no node.
        """
        return self._kept(self._divider.divide(body), ShareKind.REMOTE)

    def write_remote_v2(self, body: bytes) -> RemoteReceipt:
        """Keep a 2.0 body; raises as :meth:`write_remote`."""
        return self._kept(self._divider.divide_v2(body), ShareKind.REMOTE_V2)

    def _kept(self, body: Divisible, kind: ShareKind) -> RemoteReceipt:
        counts = body.samples.astype(np.int64)
        if not len(counts):
            # What is said of metrics, by itself, is for whoever may have series of them.
            self._delivery.tell_everybody(Share(kind=kind, body=body.body, samples=0))
            return RemoteReceipt(accepted=0)
        receipt = self._delivery.deliver(_BodyRows(body, kind, body.slots, counts))
        return RemoteReceipt(
            accepted=receipt.accepted, rejected=receipt.rejected, extras=body.extras
        )

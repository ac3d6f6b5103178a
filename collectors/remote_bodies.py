"""How a receiver hands remote-write bodies to a store that decodes them itself, in columns.

The store takes the samples. Native histograms and exemplars are none of its business: it gives back
the messages in which it saw some, so that nobody has to look through the whole body again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from collectors.metric_kinds import MetricKinds
from collectors.model import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteExtras:
    """The series of a body that have native histograms or exemplars.

    Attributes:
        series: Their encoded ``TimeSeries`` messages.
        symbols: The body's texts, UTF-8, to which the series of a 2.0 body refer; None: 1.0.
    """

    series: Sequence[bytes] = ()
    symbols: Sequence[bytes] | None = None


NO_EXTRAS = RemoteExtras()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteReceipt(Receipt):
    """What became of the samples of a body, and what was left to others."""

    extras: RemoteExtras = NO_EXTRAS


class RemoteBodyWriter(Protocol):
    """A store that takes remote-write bodies as they were sent.

    Both methods return only when what they accepted is in the log.
    """

    @property
    def metric_kinds(self) -> MetricKinds:
        """What senders said of metrics."""
        ...

    def write_remote(self, body: bytes) -> RemoteReceipt:
        """Keep the samples of a snappy-compressed 1.0 body.

        Raises:
            DecodeError: The body is not what the protocol says.
            TooLargeError: It is too large after decompression.
            StorageError: The log failed; nothing was kept.
        """
        ...

    def write_remote_v2(self, body: bytes) -> RemoteReceipt:
        """Keep the samples of a 2.0 body; raises as :meth:`write_remote`."""
        ...

"""The receiving end: a store that keeps shares, each once."""

from __future__ import annotations

import threading
from collections import OrderedDict

from collectors.cluster.sharing.shares import Share, kept
from collectors.model import Receipt
from collectors.store.metric_store import MetricStore

_REMEMBERED = 20_000


class ShareKeeper:
    """Keeps shares in a store; safe for many threads.

    A sender that heard no answer sends its share again. Parts of counters would count twice, so
    what was kept lately is answered as it was. After a restart nothing is known of that.

    Args:
        store: Where they go.
        max_bytes: Most that one may take.
    """

    def __init__(self, store: MetricStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Receipt] = OrderedDict()

    def keep(self, share: Share) -> Receipt:
        """Return when the share is in the log.

        Raises:
            InputError: It is not what it says, or too large.
            StorageError: The log failed.
        """
        with self._lock:
            known = self._known.get(share.number)
        if known is not None:
            return known
        receipt = kept(self._store, share, self._max_bytes)
        with self._lock:
            self._known[share.number] = receipt
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return receipt

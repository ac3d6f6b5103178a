"""Which copies this node has taken already: a second try of one is answered and not counted again.

Ids are kept in memory and in a small file, written once the copy is stored: what is left is a kill
between the two, after which the copy is taken once more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from pathlib import Path

from collectors.host.journal import FileJournal
from collectors.host.machine import Machine

MAX_SEEN = 100_000
"""Ids that are remembered; a second try comes within seconds, or first when the node is back."""

_FILE_BYTES = 4 << 20
_TAKEN = 1


class Seen:
    """Ids of copies; used by one event loop, but for :meth:`note`, which writes.

    Args:
        directory: Where the file is.
        machine: Its disk takes it.
    """

    def __init__(self, directory: Path, machine: Machine | None = None) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[bool]] = {}
        self._journal = FileJournal.open(
            directory,
            segment_bytes=_FILE_BYTES,
            keep_bytes=2 * _FILE_BYTES,
            name="ids of copies",
            machine=machine,
        )
        for payload in self._journal.replay(_TAKEN):
            self._remember(payload.decode("latin-1"))

    async def begins(self, copy_id: str) -> bool:
        """Return whether a copy is to be taken now; one under way is waited for."""
        while copy_id not in self._known:
            under_way = self._under_way.get(copy_id)
            if under_way is None:
                self._under_way[copy_id] = asyncio.get_running_loop().create_future()
                return True
            await asyncio.shield(under_way)
        self._known.move_to_end(copy_id)
        return False

    def ends(self, copy_id: str, *, taken: bool) -> None:
        """Note that a copy that has begun was taken, or was not and may come again."""
        if taken:
            self._remember(copy_id)
        under_way = self._under_way.pop(copy_id, None)
        if under_way is not None and not under_way.done():
            under_way.set_result(taken)

    def note(self, copy_id: str) -> None:
        """Keep the id of what was taken, from any thread.

        Raises:
            StorageError: The disk refuses.
        """
        self._journal.append(_TAKEN, copy_id.encode("latin-1"))

    def close(self) -> None:
        """Release the file."""
        self._journal.close()

    def _remember(self, copy_id: str) -> None:
        self._known[copy_id] = None
        if len(self._known) > MAX_SEEN:
            self._known.popitem(last=False)

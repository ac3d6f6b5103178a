"""What bounds nodes that keep copies for each other."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

PAIR: Final = (
    Bound("tocsin.cluster.place:MAX_NODE_NAME", "characters of a node's name", "it does not start"),
    Bound("tocsin.cluster.place:MAX_LEASE_MS", "a lease of the lead, which lasts a step and a half", "not longer: the other node leads after it"),
    Bound("tocsin.cluster.mirror.mirror:MAX_COPY_WAIT_S", "wait for the other node's answer to a copy", "it is owed, and the request acknowledged"),
    Bound("tocsin.cluster.mirror.mirror:MAX_FLYING_BYTES", "bytes of copies under way", "further ones are owed"),
    Bound("tocsin.cluster.mirror.mirror:MAX_TRIED", "refused requests whose next try is known as the same", "of the oldest, sums may be counted twice by the other node"),
    Bound("tocsin.cluster.mirror.debt:MAX_DEBT_BYTES", "bytes kept for a node that is away", "the oldest thirty-second of them goes, counted in `/health`"),
    Bound("tocsin.cluster.mirror.seen:MAX_SEEN", "copies whose second try is known", "the oldest is forgotten"),
    Bound("tocsin.cluster.mirror.copy:MAX_HEADER_BYTES", "bytes of a header that goes along with a copy", "it stays behind"),
    Bound("tocsin.cluster.mirror.datagrams:MAX_BUNDLE_BYTES", "bytes of datagrams that go along together", "the next bundle begins"),
    Bound("tocsin.cluster.mirror.doors:MAX_ID", "characters of a copy's id", "400"),
    Bound("tocsin.cluster.mirror.line:MAX_IDLE", "idle connections to the other node", "closed"),
    Bound("tocsin.cluster.routes:MAX_BODY_BYTES", "body of a node's new state", "413"),
)  # fmt: skip

"""The cache of one zone on real memcached nodes.

A node that does not answer at once is left alone for a while: its keys are misses in this zone, and
whoever asks goes on to the next zone. Keys are never moved to other nodes meanwhile, because a node
that comes back would answer with what it knew before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import orjson
from pymemcache.client.base import Client  # type: ignore[import-untyped] # ships no types
from pymemcache.exceptions import MemcacheError  # type: ignore[import-untyped] # as above

from demo_stack.stores.ring import HashRing

T = TypeVar("T")

PATIENCE_S = 0.1
"""How long a node may take; over loopback it takes a ten-thousandth of a second."""

RETRY_S = 2.0
"""How long a node that failed is left alone."""

MAX_KEY = 200
"""Memcached takes 250 bytes."""


class MemcachedZone:
    """Nodes of one zone behind a hash ring; what :class:`demo_stack.stores.cache.ZoneStore` asks.

    Values are what JSON can hold.

    Args:
        nodes: ``host:port`` of every node.
        now_s: The present, monotonic, in seconds.
    """

    system = "memcached"

    def __init__(self, nodes: Sequence[str], now_s: Callable[[], float] = time.monotonic) -> None:
        self._ring = HashRing(nodes)
        self._clients = {node: _client(node) for node in nodes}
        self._left_alone_until_s: dict[str, float] = {}
        self._now_s = now_s
        self.up = True
        self.failures = 0

    def get(self, key: str) -> Any:
        """Return the value of ``key``, ``None`` when there is none or its node is away."""
        body = self._ask(key, lambda client: client.get(_safe(key)))
        return None if body is None else orjson.loads(body)

    def put(self, key: str, value: Any, ttl_s: float) -> None:
        """Keep a value for ``ttl_s`` seconds, rounded up; nothing happens when its node is away."""
        body = orjson.dumps(value)
        expire = max(1, math.ceil(ttl_s))
        self._ask(key, lambda client: client.set(_safe(key), body, expire=expire, noreply=False))

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._ask(key, lambda client: client.delete(_safe(key), noreply=False))

    def clear(self) -> None:
        """Forget everything on every node."""
        for node in self._clients:
            self._ask_node(node, lambda client: client.flush_all(noreply=False))

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _ask(self, key: str, question: Callable[[Client], T]) -> T | None:
        return self._ask_node(self._ring.node(key), question)

    def _ask_node(self, node: str, question: Callable[[Client], T]) -> T | None:
        if not self.up or self._now_s() < self._left_alone_until_s.get(node, 0.0):
            return None
        try:
            return question(self._clients[node])
        except (OSError, MemcacheError):
            self._clients[node].close()
            self.failures += 1
            self._left_alone_until_s[node] = self._now_s() + RETRY_S
            return None


def _client(node: str) -> Client:
    host, _, port = node.rpartition(":")
    return Client((host, int(port)), connect_timeout=PATIENCE_S, timeout=PATIENCE_S, no_delay=True)


def _safe(key: str) -> bytes:
    """Return the key as memcached takes it: short, without spaces and control characters."""
    raw = key.encode()
    if len(raw) <= MAX_KEY and raw.isascii() and all(33 <= byte < 127 for byte in raw):
        return raw
    return blake2b(raw, digest_size=16).hexdigest().encode()

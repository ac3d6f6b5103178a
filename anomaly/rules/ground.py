"""What some rules stand on besides the values that the engine hands them.

Rules that ask in a language of their own, write what they compute, and go on after a restart where
they were: the engine introduces these to the store and to their memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from collectors.clock import Clock
from collectors.model import Batch, Receipt
from collectors.promql.samples.columns import Source


class WritableSamples(Protocol):
    """A store that speaks PromQL and takes batches."""

    def samples(self) -> Source:
        """Return it as it is now."""
        ...

    def write(self, batch: Batch) -> Receipt:
        """Keep a batch."""
        ...


class Memory(Protocol):
    """What outlives the process."""

    def take(self, name: str) -> Mapping[str, Any] | None:
        """Return what was put under a name, None if nothing was."""
        ...

    def put(self, name: str, row: Mapping[str, Any]) -> None:
        """Remember a row of JSON under a name."""
        ...

    def drop(self, name: str) -> None:
        """Forget what was put under a name."""
        ...

    def flush(self) -> None:
        """Have what was put outlive the process from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What such rules are given.

    Attributes:
        store: Where samples are, and go.
        memory: What outlives the process.
        clock: The present.
        external_url: Where this server is reached by people.
    """

    store: WritableSamples
    memory: Memory
    clock: Clock
    external_url: str = ""


@runtime_checkable
class Grounded(Protocol):
    """A rule that stands on a :class:`Ground`."""

    def begin(self, ground: Ground) -> None:
        """Take up where it was."""
        ...

    def leave(self, names: Sequence[str]) -> None:
        """End what it wrote: it is watched no more; ``names`` of rules are."""
        ...

    @property
    def writes(self) -> frozenset[str]:
        """The names of series that it writes."""
        ...

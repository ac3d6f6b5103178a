"""A body as its receiver gets it: decompressed, counted, with a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from collectors.errors import DecodeError, TooLargeError
from collectors.limits import Limits
from collectors.receivers.work.budget import Budget, too_many
from collectors.receivers.work.json_parts import count_json
from collectors.receivers.work.wire_parts import count_fields

# What is decoded beside others; a larger body waits for its turn among its kind.
SMALL_BYTES = 2 << 20
SMALL_PARTS = 60_000
MAX_DEPTH = 100
# A parsed field takes a pointer and, as a message, some dozens of bytes.
_FIELD_BYTES = 32


class LargeError(Exception):
    """The body belongs among the large ones."""


class Place(Protocol):
    """Where bytes in work are accounted for, such as :class:`collectors.receivers.gate.Place`."""

    def hold(self, count: int) -> None:
        """Account for more bytes, or raise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A body as it came.

    Attributes:
        raw: Its bytes.
        encoding: Its ``Content-Encoding``.
        message: The descriptor of its protobuf message; None: it is JSON.
        limits: Bounds.
        place: Where the bytes that it takes are noted.
        unpack: Undoes an encoding: of bytes, by its name, within a bound, telling of each piece.
    """

    raw: bytes
    encoding: str
    message: Any
    limits: Limits
    place: Place
    unpack: Callable[[bytes, str, int, Callable[[int], None]], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A body that may be decoded: its bytes, and what that may cost."""

    body: bytes
    budget: Budget


def open_body(sent: Sent, *, small: bool) -> Opened:
    """Decompress a body and count what it holds.

    Args:
        sent: The body.
        small: Whether to give up when it turns out to be large.

    Raises:
        LargeError: It is large, and only small ones are wanted.
        TooLargeError: It is over a limit; nothing of it was decoded.
        DecodeError: It is not what its encoding says, or nested too deep.
        OverloadedError: All requests together hold too many bytes.
    """
    budget = Budget(sent.limits)
    most = sent.limits.max_body_bytes
    if small and len(sent.raw) > SMALL_BYTES:
        raise LargeError
    hold = _nothing if small else sent.place.hold
    try:
        body = sent.unpack(sent.raw, sent.encoding, min(most, SMALL_BYTES) if small else most, hold)
    except TooLargeError:
        if small and most > SMALL_BYTES:
            raise LargeError from None
        raise
    parts, memory = _measure(body, sent)
    if small and parts > SMALL_PARTS:
        raise LargeError
    limits = sent.limits
    allowed = limits.max_json_parts if sent.message is None else limits.max_body_parts
    if parts > allowed:
        raise too_many(allowed)
    # A body that only fits when it is alone would be told to come back for ever.
    if memory > sent.limits.max_in_flight_bytes // 2:
        raise TooLargeError(
            f"the body would take {memory} bytes when it is decoded, at most half of "
            f"{sent.limits.max_in_flight_bytes} are there for one; send less at once"
        )
    sent.place.hold(memory if small else memory - len(body))
    return Opened(body=body, budget=budget)


def _nothing(count: int) -> None:
    """Hold nothing yet: small bodies are held once it is known that they are."""
    del count


def _measure(body: bytes, sent: Sent) -> tuple[int, int]:
    """Return how many parts a body has, and about how many bytes they take when decoded."""
    if sent.message is not None:
        fields = count_fields(body, sent.message, sent.limits.max_body_parts)
        return fields, len(body) + fields * _FIELD_BYTES
    found = count_json(body)
    if found.depth > MAX_DEPTH:
        raise DecodeError(f"the JSON body is nested deeper than {MAX_DEPTH} levels")
    return found.parts, found.memory(len(body))

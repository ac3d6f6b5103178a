"""How requests, messages and database operations are called: one table, first match wins.

Sources: OpenTelemetry semantic conventions 1.44 (http, rpc, messaging, db; the names before they
were stable, too), Prometheus's naming practices and what its client libraries, Micrometer and
go-grpc-prometheus emit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from tocsin.client.failures import (
    FAILED_WORDS,
    GRPC_NAMES,
    GRPC_NUMBERS,
    OUTCOME_LABELS,
    STATUS_LABELS,
)


class Side(StrEnum):
    """What a service does when the instrument counts."""

    SERVED = "served"
    CONSUMED = "consumed"
    CALLED = "called"
    SENT = "sent"
    STORED = "stored"


class Form(StrEnum):
    """How an instrument's values stand in the store."""

    HISTOGRAM = "histogram"  # statistic=count, totalTime or totalAmount, percentile
    CLASSIC = "classic"  # NAME_count, NAME_sum, NAME_bucket with le
    COUNTER = "counter"  # one number that counts


ANY = ""
"""Stands for every value of a tag: it is there at all."""


@dataclass(frozen=True, kw_only=True)
class Convention:
    """One way to count what a service does.

    Attributes:
        pattern: Matches whole names.
        side: What is counted.
        noun: What is counted, for people.
        form: How its values stand in the store.
        failed: Tags that tell of a failure, each with the beginning of its values as a pattern.
        told: Keys without which nobody can tell failures; empty when the lack of a failure's tag
            means success.
        operation: Keys that name what was done, the most telling first.
    """

    pattern: str
    side: Side
    noun: str
    form: Form = Form.HISTOGRAM
    failed: tuple[tuple[str, str], ...] = (("error.type", ANY),)
    told: frozenset[str] = frozenset()
    operation: tuple[str, ...] = ()

    @cached_property
    def names(self) -> re.Pattern[str]:
        """The pattern, compiled."""
        return re.compile(self.pattern)


_ERROR = ("error.type", ANY)
_STATUS = ("http.response.status_code", "5")
_OLD_STATUS = ("http.status_code", "5")
_STATUS_KEYS = frozenset({"error.type", "http.response.status_code", "http.status_code"})
_GRPC = ("rpc.grpc.status_code", f"({'|'.join(GRPC_NUMBERS)})$")
_GRPC_WORDS = ("rpc.response.status_code", f"({'|'.join(GRPC_NAMES)})$")
_ROUTE = ("http.route", "url.template", "http.target", "http.request.method", "http.method")


def _in_any_case(words: Sequence[str]) -> str:
    """Return a pattern of whole words as people write them: the language has no inline flags."""
    return f"({'|'.join(f'{w}|{w.capitalize()}|{w.upper()}' for w in words)})$"


_WORDS = _in_any_case(FAILED_WORDS)
_PLAIN_FAILED = (
    *((key, f"(5|{_WORDS})" if key in OUTCOME_LABELS else "5") for key in STATUS_LABELS),
    *((key, _WORDS) for key in OUTCOME_LABELS if key not in STATUS_LABELS),
    ("success", _in_any_case(["false"])),
    ("error_type", ANY),
)
_PLAIN_ROUTE = ("route", "http_route", "handler", "path", "uri", "endpoint", "method")
_CODES = ("grpc_code", f"({'|'.join(GRPC_NAMES)})$")


def _plain(pattern: str, side: Side, noun: str, form: Form = Form.CLASSIC) -> Convention:
    """Return a convention of Prometheus's manner: failures are told by a status."""
    told = frozenset(key for key, _ in _PLAIN_FAILED)
    return Convention(
        pattern=pattern,
        side=side,
        noun=noun,
        form=form,
        failed=_PLAIN_FAILED,
        told=told,
        operation=_PLAIN_ROUTE,
    )


CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        pattern=r"http\.server\.(request\.)?duration",
        side=Side.SERVED,
        noun="HTTP requests",
        failed=(_ERROR, _STATUS, _OLD_STATUS),
        told=_STATUS_KEYS,
        operation=_ROUTE,
    ),
    Convention(
        pattern=r"rpc\.server\.(call\.)?duration",
        side=Side.SERVED,
        noun="RPC calls",
        failed=(_ERROR, _GRPC, _GRPC_WORDS),
        operation=("rpc.method", "rpc.service"),
    ),
    Convention(
        pattern=r"messaging\.(process|receive)\.duration",
        side=Side.CONSUMED,
        noun="messages processed",
        operation=("messaging.destination.name",),
    ),
    Convention(
        pattern=r"http\.client\.(request\.)?duration",
        side=Side.CALLED,
        noun="HTTP calls",
        failed=(_ERROR, _STATUS, _OLD_STATUS),
        told=_STATUS_KEYS,
        operation=("server.address", "service.peer.name", *_ROUTE),
    ),
    Convention(
        pattern=r"rpc\.client\.(call\.)?duration",
        side=Side.CALLED,
        noun="RPC calls made",
        failed=(_ERROR, _GRPC, _GRPC_WORDS),
        operation=("rpc.method", "rpc.service"),
    ),
    Convention(
        pattern=r"messaging\.(publish|client\.operation)\.duration",
        side=Side.SENT,
        noun="messages sent",
        operation=("messaging.destination.name", "messaging.operation.name"),
    ),
    Convention(
        pattern=r"db\.client\.operation\.duration",
        side=Side.STORED,
        noun="database operations",
        operation=("db.operation.name", "db.collection.name", "db.namespace", "db.system.name"),
    ),
    _plain(
        r"(http_client_request_duration|http_client_requests)_seconds_count",
        Side.CALLED,
        "HTTP calls",
    ),
    _plain(r"rpc_client_(call_)?duration_seconds_count", Side.CALLED, "RPC calls made"),
    _plain(r"db_client_operation_duration_seconds_count", Side.STORED, "database operations"),
    _plain(
        r"messaging_(process|receive)_duration_seconds_count", Side.CONSUMED, "messages processed"
    ),
    _plain(
        r"messaging_(publish|client_operation)_duration_seconds_count", Side.SENT, "messages sent"
    ),
    _plain(r"rpc_server_(call_)?duration_seconds_count", Side.SERVED, "RPC calls"),
    _plain(
        r"([a-z0-9]+_)*requests?(_duration|_latency|_processing)?_seconds_count",
        Side.SERVED,
        "requests",
    ),
    Convention(
        pattern=r"grpc_server_handled_total",
        side=Side.SERVED,
        noun="gRPC calls",
        form=Form.COUNTER,
        failed=(_CODES,),
        told=frozenset({"grpc_code"}),
        operation=("grpc_method", "grpc_service"),
    ),
    _plain(r"([a-z0-9]+_)*requests?_total", Side.SERVED, "requests", Form.COUNTER),
)
"""The table."""

NAMES = "|".join(convention.pattern for convention in CONVENTIONS)
"""A pattern of every name in the table."""


def convention_of(name: str) -> Convention | None:
    """Return the convention that a metric's name follows, None if it follows none.

    >>> convention_of("http.server.request.duration").side
    <Side.SERVED: 'served'>
    >>> convention_of("stock_level") is None
    True
    """
    return next((one for one in CONVENTIONS if one.names.fullmatch(name)), None)

"""Shapes of what ``GET /health`` tells, as in :mod:`tocsin.client.shapes`."""

from __future__ import annotations

from typing import TypedDict

from tocsin.client.own.cluster_shapes import ClusterState


class ReceiverCounts(TypedDict):
    """What one receiver has taken and refused since the start."""

    accepted: int
    refused: int


class Watch(TypedDict):
    """How far behind rules judge, beyond what they wait for senders by plan.

    ``lag_s`` is None before anything was judged, and 0 when all are in time; ``slowest`` is the
    rule that is late, and ``age_s`` how old the oldest of all newest judged steps is.
    """

    rules: int
    lag_s: float | None
    slowest: str | None
    age_s: float | None
    steps_judged_again: int
    too_late: int


class Problem(TypedDict):
    """A mistake in the configuration; the place is None where it is not known."""

    file: str | None
    line: int
    field: str | None
    message: str


class ConfigurationState(TypedDict):
    """How the last reading of the configuration directory went; refused: the one before stays."""

    directory: str | None
    read_ms: int
    refused: bool
    changes: list[str]
    problems: list[Problem]


class FailingWay(TypedDict):
    """A way to people that takes no pages."""

    way: str
    since_ms: int
    reason: str


class Deliveries(TypedDict):
    """What did not reach people."""

    failing: list[FailingWay]
    dropped_findings: int


class ResponseState(TypedDict):
    """What waits for people; ``on_duty``: this server delivers pages, of those on one database."""

    open: int
    unacknowledged: int
    open_tasks: int
    overdue_tasks: int
    on_duty: bool


class OwnFault(TypedDict):
    """Something of the server's own machine that fails; ``lasting`` until its next start."""

    what: str
    place: str
    since_ms: int
    reason: str
    lost: str
    lasting: bool
    urgent: bool


class ClockStep(TypedDict):
    """A step of the machine's clock: when, by how much, and what became of it."""

    at_ms: int
    by_ms: int
    outcome: str


class ClockState(TypedDict):
    """How far the server's time is ahead of its machine's clock."""

    ahead_ms: int
    steps: int
    last_step: ClockStep | None


class Warming(TypedDict):
    """What is still to be loaded after the start, and what could not be, with the reason."""

    loading: list[str]
    failed: dict[str, str]


class AccessState(TypedDict):
    """Whether requests need a token, whether all is encrypted, how many were refused by status."""

    tokens: bool
    tls: bool
    refused: dict[str, int]
    audit_lost: int


class PostMortemsState(TypedDict):
    """Action items whose last day has passed; None while the database does not tell."""

    overdue_actions: int | None


class ConnectionsState(TypedDict):
    """HTTP connections since the start; ``files`` is the limit on open files."""

    open: int
    most: int
    refused: int
    evicted: int
    timed_out: dict[str, int]
    files: int
    files_low: bool


class Health(TypedDict):
    """``GET /health``; ``rules_failing`` says why by expression or rule.

    ``cluster`` is None where there is one process.
    """

    status: str
    version: str
    step_ms: int
    series: int
    spans: int
    uptime_s: float
    receivers: dict[str, ReceiverCounts]
    rules_failing: dict[str, str]
    watch: Watch
    configuration: ConfigurationState
    delivery: Deliveries
    response: ResponseState
    clock: ClockState
    faults: list[OwnFault]
    warming: Warming
    connections: ConnectionsState
    access: AccessState
    post_mortems: PostMortemsState
    cluster: ClusterState | None

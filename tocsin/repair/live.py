"""What ``tocsin doctor`` asks a running server: who sends what, how late, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

import psutil

from tocsin.client.errors import ClientError
from tocsin.client.health_shapes import Health as ServerHealth
from tocsin.client.sender_shapes import Source, Sources
from tocsin.client.wording import duration, number
from tocsin.repair.checks import Check, Health
from tocsin.settings import Settings
from tocsin.terminal.answers import client_of

MAX_SHOWN = 100
_PROGRAM = "tocsin"
# A process is named by its first words: the interpreter, its options, the program.
_FIRST_WORDS = 6


def owner_of(port: int) -> int | None:
    """Return the process id of the tocsin that has a port, None if it is not one or not known."""
    try:
        connections = psutil.net_connections(kind="inet")
    except (psutil.AccessDenied, PermissionError):
        return None
    for one in connections:
        listens = one.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
        if listens and one.pid and one.laddr and one.laddr.port == port and _is_tocsin(one.pid):
            return int(one.pid)
    return None


def named_tocsin(words: Sequence[str]) -> bool:
    """Return whether a command line runs tocsin.

    >>> named_tocsin(["/venv/bin/python", "/venv/bin/tocsin", "serve"])
    True
    >>> named_tocsin(["python", "-m", "http.server"])
    False
    """
    return any(PurePath(word).name == _PROGRAM for word in words[:_FIRST_WORDS])


def examine_server(settings: Settings) -> Iterator[Check]:
    """Yield what a running server says of itself and of each sender."""
    try:
        with client_of(settings) as api:
            health, answer = api.health(), api.sources()
    except ClientError as error:
        detail = f"{error.message}; is `tocsin serve` running?"
        yield Check(name="server", health=Health.PROBLEM, detail=detail)
        return
    yield _server(health)
    yield from _senders(answer)


def _is_tocsin(pid: int) -> bool:
    try:
        return named_tocsin(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _server(health: ServerHealth) -> Check:
    lag_s = health["watch"]["lag_s"]
    judged = "nothing was judged yet"
    if lag_s is not None:
        judged = f"rules are {duration(lag_s)} late" if lag_s else "rules judge in time"
    detail = (
        f"{health['version']}, up {duration(health['uptime_s'])}, {number(health['series'])} "
        f"series, {number(health['spans'])} spans, {judged}"
    )
    failing = health["rules_failing"]
    if failing:
        rule, reason = next(iter(failing.items()))
        detail += f"; {number(len(failing))} rules fail, such as {rule}: {reason}"
    found = Health.WARNING if failing else Health.FINE
    return Check(name="server", health=found, detail=detail)


def _senders(answer: Sources) -> Iterator[Check]:
    found = answer["sources"]
    if not found:
        yield Check(name="senders", health=Health.WARNING, detail="nobody has sent anything")
        return
    # What needs a look comes first: the rest may be cut off.
    found = sorted(found, key=lambda one: (not one["refused"], not one["overdue"]))
    for one in found[:MAX_SHOWN]:
        worrying = one["overdue"] or one["refused"]
        yield Check(
            name=f"from {_sender(one)}",
            health=Health.WARNING if worrying else Health.FINE,
            detail=_told(one, answer["now_ms"]),
        )
    if len(found) > MAX_SHOWN:
        detail = f"{number(len(found) - MAX_SHOWN)} more are in order or like these"
        yield Check(name="senders", health=Health.FINE, detail=detail)


def _sender(one: Source) -> str:
    return one["name"] or ", ".join(one["services"]) or one["peer"] or "unknown"


def _told(one: Source, now_ms: int) -> str:
    where = f"{one['instance']} " if one["instance"] else ""
    interval_ms = one["interval_ms"]
    usual = "" if interval_ms is None else f", usually every {duration(interval_ms / 1_000)}"
    silent = duration(max(0, now_ms - one["last_ms"]) / 1_000)
    told = (
        f"{where}{one['receiver']} from {one['peer']}: {number(one['requests'])} requests in an "
        f"hour, {number(one['accepted'])} kept, last {silent} ago{usual}"
    )
    if one["overdue"]:
        told += "; OVERDUE"
    for part in one["refused"]:
        reason = f"{part['reason']}: {part['detail']}" if part["detail"] else part["reason"]
        told += f"; refused {number(part['count'])}, {reason}"
    return told

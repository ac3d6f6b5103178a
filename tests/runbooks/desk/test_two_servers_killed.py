"""Two real processes on one PostgreSQL, one of them killed: no page lost, none doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from tests.runbooks.databases import PostgresServer

OUTAGES = 10

SERVER = """
    import os, sys, time
    from pathlib import Path
    from anomaly.testing import example_finding
    from collectors.clock import SystemClock
    from runbooks.desk.desk import IncidentDesk
    from runbooks.notifiers.card import Links
    from runbooks.paging.routing import Routes, Target
    from runbooks.postmortem.flat_metrics import FlatMetrics

    url, book, home, told, outages = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])

    class Book:
        name = "book"

        def deliver(self, delivery):
            first = delivery.action == "open" and not delivery.text
            line = f"{os.getpid()} {delivery.outbox_id} {delivery.card.incident_id}\\n"
            if first:
                with open(book, "a") as file:  # what people have
                    file.write(line)
                os.write(told, line.encode())
            return str(delivery.outbox_id)

        def find(self, delivery):
            known = Path(book).read_text() if Path(book).exists() else ""
            return str(delivery.outbox_id) if f" {delivery.outbox_id} " in known else None

    now_ms = SystemClock().now_ms()
    desk = IncidentDesk(
        database_url=url, clock=SystemClock(), notifiers=[Book()],
        routes=Routes(default=(Target(notifier="book", channel="c"),)),
        library=[], edges=lambda: set(), metrics=FlatMetrics(before=0.0, after=1.0, onset_ms=0),
        measures=[], links=Links(dashboard_url="http://a", api_url="http://b"),
        post_mortem_dir=Path(home),
    )
    desk.start()
    os.write(told, f"{os.getpid()} ready\\n".encode())
    sys.stdin.readline()
    for n in range(outages):
        desk.receive(example_finding(
            id=f"f{n}", rule=f"slo/{n}", scope={"service.name": f"s{n}"}, started_ms=now_ms,
            detected_ms=now_ms, updated_ms=now_ms,
        ))
        time.sleep(0.1)
    sys.stdin.readline()
"""


@pytest.mark.processes
@pytest.mark.patient
def test_one_of_two_servers_is_killed(postgresql: PostgresServer, tmp_path: Path) -> None:
    """Both raise the same ten outages; the one that delivers dies amid them."""
    url, (read, told) = postgresql.empty_database(), os.pipe()
    book = str(tmp_path / "book")
    command = [sys.executable, "-c", textwrap.dedent(SERVER)]
    arguments = [url, book, str(tmp_path), str(told), str(OUTAGES)]
    servers = [
        subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, pass_fds=[told], text=True)
        for _ in range(2)
    ]
    os.close(told)
    try:
        with os.fdopen(read) as lines:
            for _ in servers:
                assert lines.readline().endswith("ready\n")
            for server in servers:
                assert server.stdin is not None
                server.stdin.write("go\n")
                server.stdin.flush()
            first = [lines.readline().split() for _ in range(3)]
            os.kill(int(first[0][0]), signal.SIGKILL)
            told_of = {incident for _, _, incident in first}
            while len(told_of) < OUTAGES:
                told_of.add(lines.readline().split()[2])
    finally:
        for server in servers:
            server.kill()
            server.communicate()
    pages = Counter(line.split()[2] for line in Path(book).read_text().splitlines())
    assert pages == dict.fromkeys((f"inc-{n:04d}" for n in range(1, OUTAGES + 1)), 1)

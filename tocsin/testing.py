"""A whole tocsin in the process of a test: stores, rules, desk and API, and time in its hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from anomaly.engine.engine import Engine
from collectors.changes.store import ChangeStore
from collectors.clock import ManualClock
from collectors.model import Batch
from runbooks.desk.desk import IncidentDesk
from tocsin.announcing import open_announcements
from tocsin.client.client import ApiClient
from tocsin.collecting import Collectors, open_collectors
from tocsin.configuration.checks import checked_configuration
from tocsin.configuration.reloading import Reloader
from tocsin.responding import open_desk
from tocsin.server import api_of, using
from tocsin.settings import Settings
from tocsin.sockets import embedded_server, listen_tcp, port_of
from tocsin.warming import Warming, kernels
from tocsin.watching import open_engine, rules_of

START_MS = 1_700_000_000_000


@dataclass(slots=True, kw_only=True)
class LocalTocsin:
    """A running server without timers of its own: steps pass when :meth:`run` says so.

    Attributes:
        collectors: Where telemetry is kept; receivers other than the API's are not opened.
        changes: What was announced.
        engine: The rules.
        desk: Incidents, pages and post-mortems; not started: :meth:`run` moves it on.
        clock: The present.
        api: A client of the API, over a real socket.
        step_ms: Length of a step.
        steps: How many steps have passed since :data:`START_MS`.
    """

    collectors: Collectors
    changes: ChangeStore
    engine: Engine
    desk: IncidentDesk
    clock: ManualClock
    api: ApiClient
    step_ms: int
    steps: int = 0

    @property
    def now_ms(self) -> int:
        """End of the newest step, epoch milliseconds."""
        return START_MS + self.steps * self.step_ms

    def run(self, steps: int, traffic: Callable[[int], Batch] | None = None) -> None:
        """Let steps pass; ``traffic`` gives what arrives in the step that ends at a time."""
        for _ in range(steps):
            self.steps += 1
            self.clock.set_ms(self.now_ms + self.step_ms // 2)
            if traffic is not None:
                self.collectors.metrics.write(traffic(self.now_ms))
            self.engine.tick(self.now_ms)
            self.desk.tick()


@contextmanager
def local_tocsin(settings: Settings) -> Iterator[LocalTocsin]:
    """Open everything that ``settings`` ask for, at :data:`START_MS`, and close it again."""
    clock = ManualClock(START_MS)
    kernels()  # no test is to wait for one
    with ExitStack() as stack:
        configuration = checked_configuration(settings.config_dir)
        collectors = open_collectors(settings, clock, configuration.rollups)
        stack.callback(collectors.close)
        announced = open_announcements(settings)
        stack.callback(announced.close)
        desk = open_desk(settings, configuration, collectors, clock, settings.api_url)
        stack.callback(desk.stop)
        rules = rules_of(configuration.definitions, settings.step.ms)
        engine = open_engine(settings, rules, collectors, clock, desk, announced.store)
        use = using(settings, configuration, rules, engine=engine, desk=desk, scraper=None)
        reloader = Reloader(settings.config_dir, clock, configuration, use)
        app = api_of(collectors, announced.store, engine, desk, reloader, Warming())
        api = stack.enter_context(ApiClient(stack.enter_context(_served(app))))
        yield LocalTocsin(
            collectors=collectors,
            changes=announced.store,
            engine=engine,
            desk=desk,
            clock=clock,
            api=api,
            step_ms=settings.step.ms,
        )


@contextmanager
def _served(app: ASGIApp) -> Iterator[str]:
    """Serve ``app`` in a thread; its socket listens before the address is given."""
    sock = listen_tcp("127.0.0.1", 0, "TOCSIN_API_PORT")
    server = embedded_server(app)
    thread = threading.Thread(target=partial(server.run, sockets=[sock]), name="api")
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(sock)}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()

"""A whole tocsin in the process of a test: stores, rules, desk and API, and time in its hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from anomaly.engine.engine import Engine
from collectors.changes.store import ChangeStore
from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.host.disk import SYSTEM_DISK, Disk
from collectors.host.faults import Faults
from collectors.host.machine import Machine
from collectors.host.steady_clock import SteadyClock
from collectors.model import Batch
from runbooks.desk.desk import IncidentDesk
from runbooks.paging.own_fault import OwnFaults
from runbooks.status_page.office import StatusOffice
from tocsin.access.door import Door
from tocsin.announcing import open_announcements
from tocsin.client.client import ApiClient
from tocsin.collecting import Collectors, open_collectors
from tocsin.configuration.checks import checked_configuration
from tocsin.configuration.reloading import Reloader
from tocsin.connections import Connections
from tocsin.responding import open_desk, open_status_page
from tocsin.same_site import own_names
from tocsin.server import api_of, using
from tocsin.settings import Settings
from tocsin.sockets import embedded_server, listen_tcp, port_of
from tocsin.warming import Warming, kernels
from tocsin.watching import begin_again, first_rules, open_engine

START_MS = 1_700_000_000_000


@dataclass(slots=True, kw_only=True)
class LocalTocsin:
    """A running server without timers of its own: steps pass when :meth:`run` says so.

    Attributes:
        collectors: Where telemetry is kept; receivers other than the API's are not opened.
        changes: What was announced.
        engine: The rules.
        desk: Incidents, pages and post-mortems; not started: :meth:`run` moves it on.
        status: The status page; moved on in the same way.
        clock: The machine's clock; the time that we go by is steady over its jumps.
        api: A client of the API, over a real socket.
        app: What answers there.
        step_ms: Length of a step.
        own_faults: Tells the desk of faults of the machine.
        steady: The present.
        use_anew: Has all rules begin again.
        steps: How many steps have passed since :data:`START_MS`.
    """

    collectors: Collectors
    changes: ChangeStore
    engine: Engine
    desk: IncidentDesk
    status: StatusOffice
    clock: ManualClock
    api: ApiClient
    app: ASGIApp
    step_ms: int
    own_faults: OwnFaults
    steady: SteadyClock
    use_anew: Callable[[], None]
    steps: int = 0

    @property
    def now_ms(self) -> int:
        """End of the newest step, epoch milliseconds."""
        # Time that was set back stays behind what has passed.
        behind_ms = self.clock.passed_ms() - self.steady.now_ms()
        return START_MS + self.steps * self.step_ms - behind_ms

    def run(self, steps: int, traffic: Callable[[int], Batch] | None = None) -> None:
        """Let steps pass; ``traffic`` gives what arrives in the step that ends at a time."""
        for _ in range(steps):
            self.steps += 1
            passed_ms = START_MS + self.steps * self.step_ms + self.step_ms // 2
            self.clock.advance_ms(passed_ms - self.clock.passed_ms())
            if traffic is not None:
                with suppress(StorageError):  # whoever sends is told, and goes on
                    self.collectors.pushed.write(traffic(self.now_ms))
            self.steady.settle(self._set_back)
            self.engine.tick(self.now_ms)
            self.own_faults.tick(self.clock.now_ms())
            self.desk.tick()
            self.status.publisher.turn()

    def _set_back(self, now_ms: int) -> None:
        begin_again(now_ms, self.collectors, self.engine, self.desk, self.use_anew)


@contextmanager
def local_tocsin(settings: Settings, disk: Disk = SYSTEM_DISK) -> Iterator[LocalTocsin]:
    """Open everything that ``settings`` ask for, at :data:`START_MS`, and close it again."""
    clock = ManualClock(START_MS)
    faults = Faults(clock)
    steady = SteadyClock(clock, faults)
    machine = Machine(disk=disk, faults=faults, witness=steady)
    kernels()  # no test is to wait for one
    with ExitStack() as stack:
        configuration = checked_configuration(settings.config_dir)
        collectors = open_collectors(settings, steady, configuration.rollups, machine)
        collectors.logs.store.redactor.use(configuration.redaction)
        stack.callback(collectors.close)
        announced = open_announcements(settings, machine)
        stack.callback(announced.close)
        desk = open_desk(settings, configuration, collectors, steady, settings.api_url)
        stack.callback(desk.stop)
        rules = first_rules(settings, configuration.definitions, desk)
        engine = open_engine(settings, rules, collectors, steady, desk, announced.store)
        status = stack.enter_context(
            open_status_page(settings, configuration, collectors, engine, desk, start=False)
        )
        use = using(
            settings, configuration, rules, engine=engine, desk=desk, scraper=None, status=status
        )
        reloader = Reloader(settings.config_dir, steady, configuration, use)
        door, names = Door.of(settings, steady), own_names(settings)
        rooms = collectors, announced.store, engine, desk
        door.members.use(configuration.people)
        app = api_of(*rooms, reloader, Warming(), door, names, status=status, settings=settings)
        token = settings.api_token.get_secret_value() if settings.api_token else ""
        url = stack.enter_context(_served(app, collectors.connections))
        api = stack.enter_context(ApiClient(url, token=token))
        yield LocalTocsin(
            collectors=collectors,
            changes=announced.store,
            engine=engine,
            desk=desk,
            status=status,
            clock=clock,
            api=api,
            app=app,
            step_ms=settings.step.ms,
            own_faults=OwnFaults(machine.faults, desk),
            steady=steady,
            use_anew=lambda: use(reloader.configuration, anew=True),
        )


@contextmanager
def _served(app: ASGIApp, connections: Connections) -> Iterator[str]:
    """Serve ``app`` in a thread; its socket listens before the address is given."""
    sock = listen_tcp("127.0.0.1", 0, "TOCSIN_API_PORT")
    server = embedded_server(app, connections)
    thread = threading.Thread(target=partial(server.run, sockets=[sock]), name="api")
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(sock)}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()

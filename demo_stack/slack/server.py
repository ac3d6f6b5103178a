"""Serving the application over a real socket, in this process or in a thread of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo_stack.slack.web_api import Hangup

AppFactory = Callable[[Hangup], ASGIApp]


class SlackServer:
    """One server on a loopback port.

    Args:
        make_app: Builds the application, given the means to cut a connection.
        port: TCP port; 0 takes any free one.
        on_ready: Called with the server's URL once it accepts connections.
    """

    def __init__(
        self, make_app: AppFactory, *, port: int = 0, on_ready: Callable[[str], None] | None = None
    ) -> None:
        self._transports: dict[object, asyncio.BaseTransport] = {}
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(self._hang_up),
            http=_tracking_protocol(self._transports),
            log_level="warning",
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        self._server = _ReadyServer(config, lambda: on_ready(self.url) if on_ready else None)
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve until interrupted."""
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> SlackServer:
        self._thread = threading.Thread(target=self.run, name="local-slack", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(timeout=10):
            raise RuntimeError(f"the local Slack at {self.url} did not start within 10 s")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._socket.close()

    def _hang_up(self, request: Request) -> None:
        client = request.client
        transport = self._transports.get((client.host, client.port)) if client else None
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


@contextmanager
def serving(make_app: AppFactory, *, port: int = 0) -> Iterator[str]:
    """Serve in a thread for the length of a ``with`` block; gives the URL."""
    with SlackServer(make_app, port=port) as server:
        yield server.url


class _ReadyServer(uvicorn.Server):
    """Tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()
        self._on_ready()


def _tracking_protocol(transports: dict[object, asyncio.BaseTransport]) -> type[H11Protocol]:
    """Return uvicorn's protocol, noting each connection by its peer so that it can be cut."""

    class Tracking(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            transports[transport.get_extra_info("peername")] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self.client, None)
            super().connection_lost(exc)

    return Tracking

"""Where services listen and how they are reached: real sockets, or memory for tests."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

import httpx2
import uvicorn
from starlette.types import ASGIApp

from demo_stack.chassis.errors import PlatformError
from demo_stack.chassis.wire import LoopbackTransport

SHUTDOWN_GRACE_S = 1


class PortTakenError(PlatformError):
    """A port that was asked for is in use."""


class Network(Protocol):
    """Lets applications listen, and lets others call them."""

    async def listen(self, app: ASGIApp) -> str:
        """Serve ``app``; return its base URL."""
        ...

    async def hang_up(self, url: str) -> None:
        """Stop serving what listens at ``url``."""
        ...

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Return what carries requests to everything on this network."""
        ...

    async def close(self) -> None:
        """Stop serving everything."""
        ...


class SocketNetwork:
    """Loopback sockets: one uvicorn server per application, all in the running loop."""

    def __init__(self) -> None:
        self._serving: dict[str, tuple[_QuietServer, asyncio.Task[None]]] = {}

    async def listen(self, app: ASGIApp, port: int = 0) -> str:
        """Serve ``app`` on a port of 127.0.0.1, any free one by default.

        Raises:
            PortTakenError: Somebody else listens there.
        """
        # Without the protocol number asyncio leaves Nagle on: 40 ms more for every answer.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            sock.close()
            raise PortTakenError(f"can't listen on port {port}: {error}; take another") from error
        sock.listen(128)
        server = _QuietServer(
            uvicorn.Config(
                app,
                lifespan="off",
                http="httptools",
                ws="none",
                proxy_headers=False,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
                timeout_keep_alive=30,
            )
        )
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        self._serving[url] = (server, asyncio.create_task(server.serve([sock])))
        return url

    async def hang_up(self, url: str) -> None:
        """Stop the server at ``url``, if it is still there."""
        if url not in self._serving:
            return
        server, task = self._serving.pop(url)
        server.should_exit = True
        await task

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Return kept connections over loopback."""
        return LoopbackTransport()

    async def close(self) -> None:
        """Stop every server and wait for it."""
        await asyncio.gather(*(self.hang_up(url) for url in list(self._serving)))


class MemoryNetwork:
    """Applications in this process, called without a socket."""

    def __init__(self) -> None:
        self._apps: dict[str, httpx2.ASGITransport] = {}
        self._opened = 0

    async def listen(self, app: ASGIApp) -> str:
        """Register ``app`` under a made-up host."""
        self._opened += 1
        host = f"app-{self._opened}.memory"
        self._apps[host] = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        return f"http://{host}"

    async def hang_up(self, url: str) -> None:
        """Make calls to ``url`` fail as if its process were gone."""
        self._apps.pop(url.removeprefix("http://"), None)

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Return a transport whose requests stay in memory."""
        return _MemoryTransport(self._apps)

    async def close(self) -> None:
        """Forget every application."""
        self._apps.clear()


class _MemoryTransport(httpx2.AsyncBaseTransport):
    def __init__(self, apps: dict[str, httpx2.ASGITransport]) -> None:
        self._apps = apps

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = self._apps.get(request.url.host)
        if transport is None:
            raise httpx2.ConnectError(f"nothing listens at {request.url.host}", request=request)
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                return await transport.handle_async_request(request)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("no answer in time", request=request) from error


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the process that holds it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

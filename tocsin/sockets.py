"""Listening sockets that are opened before anything is promised, and servers on top of them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from collectors.errors import ConfigError
from tocsin.access.certificate import Certificate
from tocsin.connections import Connections, deadlined


def listen_tcp(host: str, port: int, setting: str) -> socket.socket:
    """Bind and listen; port 0 takes any free one.

    Raises:
        ConfigError: The port is taken or not allowed; names the setting that chose it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio switches Nagle's algorithm off.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1_024)
    except OSError as error:
        sock.close()
        raise busy_port(host, port, setting, error) from error
    sock.setblocking(False)
    return sock


def busy_port(host: str, port: int, setting: str, error: OSError) -> ConfigError:
    """Return the error that tells an operator what to do about a port that can't be had."""
    return ConfigError(
        f"{setting} = {port}: can't listen on {host}:{port} ({error.strerror}); stop what uses it, "
        f"set {setting} to another port, or to 0 for any free one"
    )


def port_of(sock: socket.socket) -> int:
    """Return the port a socket is bound to."""
    return int(sock.getsockname()[1])


class EmbeddedServer(uvicorn.Server):
    """A uvicorn server that leaves signals to the process that embeds it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: the composition root decides when to stop."""
        yield


def embedded_server(
    app: ASGIApp, connections: Connections, certificate: Certificate | None = None
) -> EmbeddedServer:
    """Return a server for ``app`` that logs warnings only and stops within a second."""
    # uvicorn only ever calls it, with a protocol class's arguments.
    protocol: Any = deadlined(connections)
    config = uvicorn.Config(
        app,
        http=protocol,
        timeout_keep_alive=math.ceil(connections.limits.connection_idle_s),
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        ws="none",
        server_header=False,
        proxy_headers=False,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    return EmbeddedServer(config)


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    sock: socket.socket,
    connections: Connections,
    certificate: Certificate | None = None,
) -> AsyncIterator[None]:
    """Serve ``app`` on a listening socket for as long as the block lasts."""
    server = embedded_server(app, connections, certificate)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        await task

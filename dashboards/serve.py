"""Start the dashboard: ``run`` in this process, ``python -m dashboards.serve`` as its own.

Bound to loopback, no browser opened, nothing reported to anybody.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import sys
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware

from dashboards.login.gate import LoginGate
from dashboards.login.provider import secrets_of
from dashboards.login.sessions import Way, sessions, way
from dashboards.sources import API_CA, API_URL, SLACK_PREVIEW_URL
from tocsin.client.client import ApiClient
from tocsin.client.whoami import Whoami

if TYPE_CHECKING:
    import streamlit as st

_HOST = "127.0.0.1"
HOST = "TOCSIN_DASHBOARD_HOST"
CERTIFICATE = "TOCSIN_TLS_CERTIFICATE"
KEY = "TOCSIN_TLS_KEY"
_FIRST = (
    "altair",
    "dashboards.panels.quiet",
    "dashboards.panels.actions",
    "dashboards.panels.room.views",
)
"""What the first page draws with."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def run(port: int, api_url: str, slack_url: str | None = None) -> None:
    """Serve the dashboard until the process is told to stop.

    Args:
        port: Port on loopback.
        api_url: Where tocsin's API listens, for example ``http://127.0.0.1:7101``.
        slack_url: Where the local Slack server listens, None when there is none.
    """
    import streamlit as st

    os.environ[API_URL] = api_url
    os.environ.pop(SLACK_PREVIEW_URL, None)
    if slack_url:
        os.environ[SLACK_PREVIEW_URL] = slack_url
    gate = Middleware(LoginGate, sessions=sessions(), ask=partial(_ask, api_url))
    app = st.App(
        Path(__file__).with_name("app.py"),
        lifespan=_warm,
        middleware=[gate] if way() is Way.TOKEN else [],
        secrets=secrets_of(os.environ) if way() is Way.OIDC else None,
    )
    host = os.environ.get(HOST) or _HOST
    listening = {"server.address": host, "server.port": port, **_encryption()}
    app.run(config=configuration() | listening)


def _encryption() -> dict[str, object]:
    chain, key = os.environ.get(CERTIFICATE), os.environ.get(KEY)
    return {"server.sslCertFile": chain, "server.sslKeyFile": key} if chain and key else {}


def _ask(api_url: str, token: str) -> Whoami:
    """Ask the API who a token is."""
    with ApiClient(api_url, token=token, ca=os.environ.get(API_CA, "")) as api:
        return api.whoami()


def configuration() -> dict[str, object]:
    """Return ``.streamlit/config.toml`` as dotted options.

    Streamlit looks for the file beside the program that was started, which is ``tocsin`` and not
    the page: without this neither theme nor safety settings would be in force.
    """
    path = Path(__file__).with_name(".streamlit") / "config.toml"
    return _dotted(tomllib.loads(path.read_text(encoding="utf-8")), "")


def _dotted(table: dict[str, Any], prefix: str) -> dict[str, object]:
    options: dict[str, object] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        options |= _dotted(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return options


@asynccontextmanager
async def _warm(_app: st.App) -> AsyncIterator[None]:
    """Import what the first viewer would otherwise wait for, before anybody is answered.

    Who comes meanwhile waits in the queue of the socket, which listens already: pages that are
    drawn while libraries are loaded take several times as long.
    """
    await asyncio.to_thread(load)
    yield


def load() -> None:
    """Import what the first page draws with, and take it out of every later search for garbage.

    Streamlit searches all there is after each run of a page: without this that is four fifths of
    what a tick costs.
    """
    for name in _FIRST:
        import_module(name)
    gc.collect()
    gc.freeze()


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return ``port``, ``api_url`` and ``slack_url`` as the command line gives them."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8501, help="0 means any free port")
    parser.add_argument("--api-url", default=os.environ.get(API_URL, "http://127.0.0.1:7101"))
    parser.add_argument("--slack-url", default=os.environ.get(SLACK_PREVIEW_URL))
    return parser.parse_args(arguments)


def main() -> None:
    """Read the command line and serve; a port that nobody named is told as one JSON line."""
    given = options()
    port = given.port or free_port()
    if not given.port:
        sys.stdout.write(json.dumps({"url": f"http://{_HOST}:{port}"}) + "\n")
        sys.stdout.flush()
    run(port, given.api_url, given.slack_url)


if __name__ == "__main__":
    main()

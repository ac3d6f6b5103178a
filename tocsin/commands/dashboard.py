"""``tocsin dashboard``: the Streamlit pages, in a process of their own."""

from __future__ import annotations

import os
import sys

import click

from tocsin.settings import Settings, load_settings
from tocsin.sockets import listen_tcp, port_of
from tocsin.terminal.options import setting_options


@click.command("dashboard")
@setting_options("host", "dashboard_port", "api_url", "slack_preview_url")
def command(**overrides: object) -> None:
    """Serve the war room and its sister pages until interrupted."""
    settings = load_settings(overrides)
    # Probe first: Streamlit would silently take the next port when this one is busy.
    probe = listen_tcp(settings.host, settings.dashboard_port, "TOCSIN_DASHBOARD_PORT")
    port = port_of(probe)
    probe.close()
    click.echo(f"tocsin dashboard at http://{settings.host}:{port} asks {settings.api_url}")
    sys.stdout.flush()
    if settings.api_token is not None:
        os.environ["TOCSIN_API_TOKEN"] = settings.api_token.get_secret_value()
    # The pages take this process's place, so that signals and the exit status are theirs.
    os.execv(sys.executable, pages_command(port, settings))  # noqa: S606 - no shell is meant


def pages_command(port: int, settings: Settings) -> list[str]:
    """Return the command that serves the pages, which this room knows by name alone."""
    words = [sys.executable, "-m", "dashboards.serve", "--port", str(port)]
    words += ["--api-url", settings.api_url]
    if settings.slack_preview_url:
        words += ["--slack-url", settings.slack_preview_url]
    return words

"""``tocsin dashboard``: the Streamlit pages, in a process of their own."""

from __future__ import annotations

import click

from tocsin.commands.options import setting_options
from tocsin.settings import load_settings
from tocsin.sockets import listen_tcp, port_of


@click.command("dashboard")
@setting_options("host", "dashboard_port", "api_url", "slack_preview_url")
def command(**overrides: object) -> None:
    """Serve the war room and its sister pages until interrupted."""
    from dashboards.serve import run  # Streamlit takes seconds to import

    settings = load_settings(overrides)
    # Probe first: Streamlit would silently take the next port when this one is busy.
    probe = listen_tcp(settings.host, settings.dashboard_port, "TOCSIN_DASHBOARD_PORT")
    port = port_of(probe)
    probe.close()
    click.echo(f"tocsin dashboard at http://{settings.host}:{port} asks {settings.api_url}")
    run(port=port, api_url=settings.api_url, slack_url=settings.slack_preview_url)

"""``tocsin dashboard``: the Streamlit pages, in a process of their own."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click
from pydantic import SecretStr

from collectors.errors import ConfigError
from tocsin.access.certificate import Certificate
from tocsin.settings import LOOPBACK, Login, Settings, load_settings
from tocsin.sockets import listen_tcp, port_of
from tocsin.terminal.options import setting_options


@click.command("dashboard")
@setting_options("host", "dashboard_port", "dashboard_login", "api_url", "slack_preview_url")
def command(**overrides: object) -> None:
    """Serve the war room and its sister pages until interrupted."""
    settings = load_settings(overrides)
    host = _host(settings)
    # Probe first: Streamlit would silently take the next port when this one is busy.
    probe = listen_tcp(host, settings.dashboard_port, "TOCSIN_DASHBOARD_PORT")
    port = port_of(probe)
    probe.close()
    Certificate.of(settings.tls_certificate, settings.tls_key)
    click.echo(f"tocsin dashboard at {settings.scheme}://{host}:{port} asks {settings.api_url}")
    sys.stdout.flush()
    os.environ.update(_environment(settings, host))
    # The pages take this process's place, so that signals and the exit status are theirs.
    os.execv(sys.executable, pages_command(port, settings))  # noqa: S606 - no shell is meant


def _host(settings: Settings) -> str:
    """Return where to listen: on loopback alone, unless whoever comes has to sign in."""
    if settings.dashboard_login is not Login.NONE or settings.host in LOOPBACK:
        return settings.host
    told = "pages stay on loopback: nobody signs in; set dashboard_login to token"
    click.echo(f"{told}, or put a proxy with a login before them", err=True)
    return "127.0.0.1"


def _environment(settings: Settings, host: str) -> dict[str, str]:
    """Return what the pages are told by their environment, secrets among it."""
    if settings.dashboard_login is Login.OIDC:
        _check_provider(settings)
    told = {
        "TOCSIN_DASHBOARD_HOST": host,
        "TOCSIN_DASHBOARD_LOGIN": settings.dashboard_login.value,
        "TOCSIN_DASHBOARD_URL": settings.dashboard_url,
        "TOCSIN_API_TOKEN": _shown(settings.api_token),
        "TOCSIN_OIDC_METADATA_URL": settings.oidc_metadata_url,
        "TOCSIN_OIDC_CLIENT_ID": settings.oidc_client_id,
        "TOCSIN_OIDC_CLIENT_SECRET": _shown(settings.oidc_client_secret),
        "TOCSIN_API_CA": settings.api_ca,
        "TOCSIN_TLS_CERTIFICATE": settings.tls_certificate,
        "TOCSIN_TLS_KEY": settings.tls_key,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _shown(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _check_provider(settings: Settings) -> None:
    """Say what is missing before anybody stands before a door that can't be opened.

    Raises:
        ConfigError: What the provider gave is not all there, or a library.
    """
    needed = ("oidc_metadata_url", "oidc_client_id", "oidc_client_secret", "api_token")
    missing = [f"TOCSIN_{name.upper()}" for name in needed if getattr(settings, name) is None]
    if missing:
        raise ConfigError(f"TOCSIN_DASHBOARD_LOGIN = oidc: {', '.join(missing)} is not set")
    if find_spec("authlib") is None:
        raise ConfigError("TOCSIN_DASHBOARD_LOGIN = oidc takes Authlib: pip install 'tocsin[oidc]'")


def pages_command(port: int, settings: Settings) -> list[str]:
    """Return the command that serves the pages, which this room knows by name alone."""
    words = [sys.executable, "-m", "dashboards.serve", "--port", str(port)]
    words += ["--api-url", settings.api_url]
    if settings.slack_preview_url:
        words += ["--slack-url", settings.slack_preview_url]
    return words

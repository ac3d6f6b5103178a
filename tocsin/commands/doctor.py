"""``tocsin doctor``: looks for what would keep tocsin from working on this machine."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import orjson
import psutil

from tocsin.repair.checks import Check, Health
from tocsin.repair.examining import examine_data
from tocsin.repair.live import examine_server, owner_of
from tocsin.settings import FILE_SUFFIX, PREFIX, Settings, load_settings, setting_rows
from tocsin.terminal.answers import say
from tocsin.terminal.options import setting_options

ROOMS = ("tocsin", "collectors", "anomaly", "runbooks", "dashboards", "demo_stack")
KNOWN_VARIABLES = {
    "TOCSIN_CONFIG_FILE",
    "TOCSIN_SHARED",
    "TOCSIN_SCRAPE_TARGETS",
    "TOCSIN_LONG_STORIES",
}
_NEEDED_MEMORY = 1 << 30


def examine(settings: Settings) -> Iterator[Check]:
    """Yield every check; nothing is changed on the machine."""
    yield _python()
    yield from _collisions()
    yield from _ports(settings)
    yield _writable(settings.data_dir)
    yield _memory()
    yield from _unknown_variables()
    yield _browser()


def _python() -> Check:
    text = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= (3, 11)
    return Check(name="python", health=Health.FINE if fine else Health.PROBLEM, detail=text)


def _collisions() -> Iterator[Check]:
    """Other distributions may install packages of our names: they would overwrite each other."""
    owners = importlib.metadata.packages_distributions()
    for room in ROOMS:
        others = sorted({d for d in owners.get(room, []) if d != "tocsin"})
        if others:
            detail = f"package {room!r} also comes from {', '.join(others)}: install tocsin alone"
            yield Check(name=f"package {room}", health=Health.PROBLEM, detail=detail)
    yield Check(name="packages", health=Health.FINE, detail="names looked up")


def _ports(settings: Settings) -> Iterator[Check]:
    for row in setting_rows():
        if not row.name.endswith("_port"):
            continue
        port = getattr(settings, row.name)
        if port is None:
            continue  # what is not asked for is not opened
        kind = socket.SOCK_DGRAM if row.name == "spectator_port" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                yield _taken(row.name, port, f"{error.strerror}; set {row.variable}")
            else:
                yield Check(name=row.name, health=Health.FINE, detail=f"{port} is free")


def _taken(name: str, port: int, reason: str) -> Check:
    """Say who has a port; that it is a tocsin already running is no problem of the machine."""
    owner = owner_of(port)
    if owner is not None:
        detail = f"{port} is tocsin's own: process {owner} is running"
        return Check(name=name, health=Health.FINE, detail=detail)
    return Check(name=name, health=Health.PROBLEM, detail=f"{port}: {reason} (0 for any free port)")


def _writable(path: Path) -> Check:
    nearest = path.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    fine = os.access(nearest, os.W_OK)
    free = shutil.disk_usage(nearest).free // (1 << 20)
    detail = f"{path}: {free} MB free" if fine else f"{path}: not writable; set TOCSIN_DATA_DIR"
    return Check(name="data_dir", health=Health.FINE if fine else Health.PROBLEM, detail=detail)


def _memory() -> Check:
    available = psutil.virtual_memory().available
    health = Health.FINE if available >= _NEEDED_MEMORY else Health.WARNING
    return Check(name="memory", health=health, detail=f"{available // (1 << 20)} MB available")


def _unknown_variables() -> Iterator[Check]:
    settings = {row.variable for row in setting_rows()}
    known = settings | {name + FILE_SUFFIX for name in settings} | KNOWN_VARIABLES
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            detail = "no such setting; see `tocsin settings`"
            yield Check(name=name, health=Health.WARNING, detail=detail)


def _browser() -> Check:
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "firefox"))), None)
    if found:
        return Check(name="browser", health=Health.FINE, detail=found)
    detail = "none here: open the dashboard's URL from another machine; browser tests are skipped"
    return Check(name="browser", health=Health.WARNING, detail=detail)


@click.command("doctor")
@setting_options("data_dir", "host", "api_url", "api_port", "otlp_http_port", "otlp_grpc_port")
@click.option(
    "--live", is_flag=True, help="Ask the running server who sends what, and how it goes."
)
@click.option(
    "--repair", is_flag=True, help="Mend what is damaged in the data directory; nothing is deleted."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def command(
    ctx: click.Context, /, live: bool, repair: bool, as_json: bool, **overrides: object
) -> None:
    """Look for what would keep tocsin from working; exit 3 when there is a problem.

    What is damaged in the data directory of a server that does not run is told with what a repair
    would do; --repair does it.
    """
    settings = load_settings(overrides)
    if live and repair:
        raise click.UsageError("--live asks a running server, --repair needs one that is stopped")
    checks = list(examine_server(settings) if live else examine(settings))
    if not live:
        checks += examine_data(settings, repair=repair)
    problems = [check for check in checks if check.health is Health.PROBLEM]
    if as_json:
        body = {"ok": not problems, "checks": [asdict(check) for check in checks]}
        click.echo(orjson.dumps(body).decode())
    else:
        for check in checks:
            say(f"{check.health:<8} {check.name:<18} {check.detail}")
    ctx.exit(3 if problems else 0)

"""``tocsin serve``: the whole suite in one process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

import click
import orjson

from tocsin.garbage import uncollected
from tocsin.logs import configure_logs
from tocsin.settings import load_settings
from tocsin.terminal.options import setting_options


@click.command("serve")
@setting_options()
@click.option("--json", "as_json", is_flag=True, help="Announce the addresses as one JSON line.")
def command(as_json: bool, **overrides: object) -> None:
    """Collect, watch, page, keep the record: until interrupted.

    Every option can also stand in the environment or in tocsin.toml; see `tocsin settings`.
    """
    with uncollected():
        from tocsin.server import serve  # numba, grpc and SQLAlchemy take a moment to import

    settings = load_settings(overrides)
    configure_logs()

    def announce(addresses: Mapping[str, str]) -> None:
        if as_json:
            click.echo(orjson.dumps(addresses).decode())
            return
        for name, address in addresses.items():
            click.echo(f"{name:<10} {address}")

    # Whatever is kept, by whichever library, is for its owner alone.
    os.umask(0o077)
    asyncio.run(serve(settings, announce))

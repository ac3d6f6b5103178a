"""``tocsin query``: an expression, drawn in the terminal or written to a file."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import click
import numpy as np
import orjson

from collectors.graph.terminal import draw
from collectors.model import Frame
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.client.graphs import Graph, graph_columns
from tocsin.commands.options import setting_options
from tocsin.settings import load_settings


def frame_of(graph: Graph) -> Frame:
    """Return the client's columns as a frame, which the terminal chart draws."""
    rows = [line.values for line in graph.lines]
    return Frame(
        start_ms=graph.start_ms,
        step_ms=graph.step_ms,
        tags=[line.tags for line in graph.lines],
        labels=[line.label for line in graph.lines],
        values=np.array(rows) if rows else np.empty((0, 0)),
    )


@click.command("query")
@click.argument("expression")
@setting_options("api_url")
@click.option("--start", default="e-1h", help="From: e-1h, an ISO time or epoch. [e-1h]")
@click.option("--end", default="now", help="Until. [now]")
@click.option("--step", help="Step, such as 1m; the server chooses when absent.")
@click.option("--png", type=click.Path(path_type=Path), help="Write an image to this file.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print Atlas's std.json.")
@click.option("--watch", is_flag=True, help="Draw again every few seconds until interrupted.")
def command(
    expression: str,
    start: str,
    end: str,
    step: str | None,
    png: Path | None,
    as_csv: bool,
    as_json: bool,
    watch: bool,
    **overrides: object,
) -> None:
    """Evaluate EXPRESSION, for example ``name,stream.starts,:eq,:sum``."""
    settings = load_settings(overrides)
    params = {"q": expression, "s": start, "e": end} | ({"step": step} if step else {})
    try:
        with ApiClient(settings.api_url) as api:
            if png is not None:
                png.write_bytes(api.graph_bytes(params | {"format": "png"}))
                click.echo(f"{png} written", err=True)
            elif as_csv or as_json:
                form = "csv" if as_csv else "std.json"
                click.echo(api.graph_bytes(params | {"format": form}).decode())
            else:
                _draw(api, params, watch=watch)
    except ClientError as error:
        raise click.ClickException(error.message) from error


def _draw(api: ApiClient, params: dict[str, str], *, watch: bool) -> None:
    while True:
        answer = api.graph_bytes(params | {"format": "std.json"})
        frame = frame_of(graph_columns(orjson.loads(answer)))
        size = shutil.get_terminal_size((100, 30))
        if watch:
            click.clear()
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        height = max(8, size.lines - 8)
        click.echo(
            draw(frame, width=size.columns, height=height, color=color), nl=False, color=color
        )
        if not watch:
            return
        time.sleep(5)

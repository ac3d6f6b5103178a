"""``tocsin query``: an expression, drawn in the terminal or written to a file."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from difflib import get_close_matches
from pathlib import Path

import click
import numpy as np
import orjson

from collectors.graph.terminal import draw
from collectors.model import Frame
from collectors.printable import printable_json
from tocsin.client.client import ApiClient
from tocsin.client.errors import AnswerError
from tocsin.client.graphs import Graph, graph_columns
from tocsin.settings import load_settings
from tocsin.terminal.answers import EMPTY, client_of, say
from tocsin.terminal.options import setting_options


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
@click.option("--fail-empty", is_flag=True, help="Exit 3 when no line has a value.")
def command(
    expression: str,
    start: str,
    end: str,
    step: str | None,
    png: Path | None,
    as_csv: bool,
    as_json: bool,
    watch: bool,
    fail_empty: bool,
    **overrides: object,
) -> None:
    """Evaluate EXPRESSION, for example ``name,http.server.requests,:eq,:sum``."""
    settings = load_settings(overrides)
    params = {"q": expression, "s": start, "e": end} | ({"step": step} if step else {})
    try:
        with client_of(settings) as api:
            answer = api.graph_bytes(params | {"format": "std.json"})
            if png is not None:
                png.write_bytes(api.graph_bytes(params | {"format": "png"}))
                click.echo(f"{png} written", err=True)
            elif as_csv:
                say(api.graph_bytes(params | {"format": "csv"}).decode())
            elif as_json:
                click.echo(printable_json(answer.decode()))
            else:
                _draw(api, params, answer, watch=watch)
    except AnswerError as error:
        raise click.ClickException(f"{error.message}{hint(error.message)}") from error
    if is_empty(answer):
        click.echo(f"no data: nothing between {start} and {end} matches {expression}", err=True)
        if fail_empty:
            click.get_current_context().exit(EMPTY)


def is_empty(answer: bytes) -> bool:
    """Return whether no line of a graph has a value."""
    lines = graph_columns(orjson.loads(answer)).lines
    return not any(np.isfinite(line.values).any() for line in lines)


def hint(message: str) -> str:
    """Return what an unknown word may have been meant for, empty if nobody can say."""
    unknown = re.search(r"unknown word ':([^']{1,40})'", message)
    if unknown is None:
        return ""
    from collectors.stacklang.words.vocabularies import interpreter

    near = get_close_matches(unknown[1], [word.name for word in interpreter().words], n=1)
    return f"; did you mean ':{near[0]}'?" if near else ""


def _draw(api: ApiClient, params: dict[str, str], answer: bytes, *, watch: bool) -> None:
    while True:
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
        answer = api.graph_bytes(params | {"format": "std.json"})

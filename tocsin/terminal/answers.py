"""What commands that ask a server share: its address, JSON or words, and empty answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import orjson

from collectors.printable import printable, printable_json
from tocsin.client.client import ApiClient
from tocsin.settings import Settings, load_settings
from tocsin.terminal.options import Command, setting_options

EMPTY = 3
"""Exit code of an empty answer with ``--fail-empty``."""

_TIMEOUT_S = 20.0


def asks(*, fail_empty: bool = True) -> Callable[[Command], Command]:
    """Return a decorator with the options of a command that asks the API.

    Args:
        fail_empty: Whether an empty answer is possible, and may be a failure.
    """

    def decorate(function: Command) -> Command:
        if fail_empty:
            text = f"Exit {EMPTY} when there is nothing to show."
            function = click.option("--fail-empty", is_flag=True, help=text)(function)
        text = "Print JSON, errors too."
        function = click.option("--json", "as_json", is_flag=True, help=text)(function)
        return setting_options("api_url")(function)

    return decorate


@contextmanager
def asking(api_url: str | None) -> Iterator[ApiClient]:
    """Yield a client of the server that the option or the settings name."""
    with client_of(load_settings({"api_url": api_url})) as api:
        yield api


def client_of(settings: Settings, timeout_s: float = _TIMEOUT_S) -> ApiClient:
    """Return a client of the server that the settings name, with the token that they give."""
    token = settings.api_token.get_secret_value() if settings.api_token else ""
    ca = str(settings.api_ca or "")
    return ApiClient(settings.api_url, timeout_s=timeout_s, token=token, ca=ca)


def say_json(body: object) -> None:
    """Print one JSON value."""
    click.echo(printable_json(orjson.dumps(body).decode()))


def say(text: str) -> None:
    """Print words, among which may be those of strangers."""
    click.echo(printable(text))


def tell_notes(notes: Sequence[str]) -> None:
    """Say on standard error what an answer is not made of."""
    for note in notes:
        click.echo(f"tocsin: {note}", err=True)


def tell_list(
    rows: Sequence[Any],
    lines: Callable[[], Sequence[str]],
    *,
    empty: str,
    as_json: bool,
    fail_empty: bool,
) -> None:
    """Print what was found, or say that nothing was.

    Args:
        rows: What was found.
        lines: Words it.
        empty: Said in its place.
        as_json: Whether the rows are printed as JSON.
        fail_empty: Whether nothing is a failure.
    """
    if as_json:
        say_json(rows)
    elif rows:
        say("\n".join(lines()))
    else:
        click.echo(empty, err=True)
    if not rows and fail_empty:
        click.get_current_context().exit(EMPTY)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows under their heads, in columns as wide as they need; the last one runs free.

    >>> table(["name", "state"], [["a", "ok"]])
    ['name  state', 'a     ok']
    """
    everything = [list(head), *map(list, rows)]
    widths = [max(len(row[at]) for row in everything) for at in range(len(head))]
    widths[-1] = 0
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in everything
    ]

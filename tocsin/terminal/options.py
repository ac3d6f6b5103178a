"""Command-line options made from the settings table, so that the two can't drift apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from tocsin.settings import setting_rows

Command = Callable[..., Any]


def setting_options(*names: str) -> Callable[[Command], Command]:
    """Return a decorator that adds an option for each setting (all, when no names are given).

    The command receives every option under the setting's name, None when it was not given: hand
    the dictionary to :func:`tocsin.settings.load_settings`.
    """

    def decorate(function: Command) -> Command:
        # A secret on a command line is read by everybody on the machine, and kept by shells.
        rows = [row for row in setting_rows() if row.option and (not names or row.name in names)]
        for row in reversed(rows):
            default = f" [{row.default}]" if row.default else ""
            text = f"{row.description}{default}"
            function = click.option(row.option, row.name, default=None, help=text)(function)
        return function

    return decorate

"""``tocsin top``: the war room in a terminal."""

from __future__ import annotations

import getpass
import shutil
import time
from importlib.util import find_spec

import click

from collectors.errors import ConfigError
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError, UnreachableError
from tocsin.settings import load_settings
from tocsin.terminal.answers import asks, client_of, say, say_json
from tocsin.top.look import Look, first_look, look
from tocsin.top.screen import HEIGHT, WIDTH, printed

_TIMEOUT_S = 3.0


@click.command("top")
@click.argument("incident_id", metavar="[INCIDENT]", default="")
@click.option("--once", is_flag=True, help="Print one screen and end, for scripts.")
@click.option(
    "--interval",
    type=click.FloatRange(1.0, 3_600.0),
    default=5.0,
    show_default=True,
    help="Seconds between two looks.",
)
@click.option("--actor", default=None, help="Who acts. [whose token it is, else your login]")
@asks(fail_empty=False)
def command(
    incident_id: str,
    once: bool,
    interval: float,
    actor: str | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Show incidents, objectives, signals, findings and who is on call; answer by keys.

    It asks the server alone, so it works over ssh; ? lists the keys. The living screen takes an
    extra: pip install 'tocsin[top]'. --once and --json print what is known and need nothing.

    \b
    Example: tocsin top --once
    """  # noqa: D301 - click's mark for lines that stay lines
    with client_of(load_settings({"api_url": api_url}), _TIMEOUT_S) as api:
        if once or as_json:
            _print(_looked(api, incident_id), as_json=as_json)
            return
        if find_spec("textual") is None:
            raise ConfigError(
                "the living screen takes Textual: pip install 'tocsin[top]', or give --once"
            )
        from tocsin.top.app import TopApp

        TopApp(api, actor=actor or _who(api), interval_s=interval, chosen=incident_id).run()


def _who(api: ApiClient) -> str:
    """Return whose token it is; without one, and while nobody answers, the login."""
    try:
        who = api.whoami()
    except ClientError:
        return getpass.getuser()
    return who["name"] if who["role"] else getpass.getuser()


def _looked(api: ApiClient, incident_id: str) -> Look:
    now_ms = time.time_ns() // 1_000_000
    found = look(api, first_look(api.base_url, now_ms), now_ms, incident_id)
    if found.away:
        raise UnreachableError(found.away)
    return found


def _print(found: Look, *, as_json: bool) -> None:
    if as_json:
        say_json(found.as_json())
        return
    size = shutil.get_terminal_size((WIDTH, HEIGHT))
    say("\n".join(printed(found, size.columns, size.lines)))

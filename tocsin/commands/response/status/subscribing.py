"""``tocsin status subscribe``: who is called at each update."""

from __future__ import annotations

import getpass

import click

from tocsin.client.response.status_shapes import SubscriberRow
from tocsin.terminal.answers import asking, asks, say, say_json, table, tell_list


@click.group("subscribe")
def subscribe() -> None:
    """Have web addresses called, and people mailed, at each update. RSS and Atom need nothing."""


@subscribe.command("list")
@asks()
def list_subscribers(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List who is called, and who did not take a call."""
    with asking(api_url) as api:
        found = api.status_page.subscribers()
    heads = ["no", "how", "address", "failures", "last error"]
    tell_list(
        found,
        lambda: table(heads, [_row(one) for one in found]),
        empty="nobody is called",
        as_json=as_json,
        fail_empty=fail_empty,
    )


def _row(one: SubscriberRow) -> list[str]:
    how = one["kind"] if one["confirmed"] else f"{one['kind']}, not confirmed"
    return [str(one["id"]), how, one["address"], str(one["failures"]), one["last_error"] or "–"]


@subscribe.command("add")
@click.argument("address")
@click.option("--actor", default=None, help="Who adds it. [your login]")
@asks(fail_empty=False)
def add(address: str, actor: str | None, api_url: str | None, as_json: bool) -> None:
    """Have ADDRESS called at each update; the secret that signs the calls is printed once.

    An e-mail address is asked first, and told nothing before its reader says yes.

    \b
    Examples:
      tocsin status subscribe add https://chat.example.com/hooks/status
      tocsin status subscribe add ana@example.com
    """  # noqa: D301 - click's mark for lines that stay lines
    with asking(api_url) as api:
        found = api.status_page.subscribe(address, actor=actor or getpass.getuser())
    if as_json:
        say_json(found)
    elif "secret" in found:
        say(f"subscriber {found['id']}: {found['address']}\nsecret, shown once: {found['secret']}")
    else:
        say(f"subscriber {found['id']}: {found['address']} has been asked by mail")


@subscribe.command("remove")
@click.argument("number", type=int)
@asks(fail_empty=False)
def remove(number: int, api_url: str | None, as_json: bool) -> None:
    """Call subscriber NUMBER no more."""
    with asking(api_url) as api:
        found = api.status_page.unsubscribe(number)
    if as_json:
        say_json(found)
    else:
        say(f"subscriber {number} is removed")

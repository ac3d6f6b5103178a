"""``tocsin token``: make, list and revoke API tokens, of this machine or of a cluster."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from collectors.clock import SystemClock
from tocsin.access.kept_tokens import tokens_of
from tocsin.access.rights import Role
from tocsin.access.tokens import MAX_NAME, Token
from tocsin.client.wording import moment
from tocsin.duration import Duration
from tocsin.settings import load_settings
from tocsin.terminal.answers import say_json, table, tell_list
from tocsin.terminal.options import setting_options


@click.group("token")
def command() -> None:
    """Make, list and revoke tokens. A running server sees it at once."""


@command.command("create")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=None,
    help="What the token may do: see the docs. With --person at most this. [as the person]",
)
@click.option("--person", default="", help="Id in people.yaml: it acts as that person.")
@click.option("--expires", default=None, help="After how long it ends, such as 90d. [never]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
@setting_options("data_dir")
def create(
    name: str,
    role: str | None,
    person: str,
    expires: str | None,
    as_json: bool,
    **overrides: object,
) -> None:
    """Make a token for NAME, a person or a service; its secret is printed once and not kept.

    \b
    Examples:
      tocsin token create ana --role responder --expires 90d
      tocsin token create checkout --role sender
      tocsin token create ana-laptop --person ana
    """  # noqa: D301 - click's mark for lines that stay lines
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise click.BadParameter(f"a name has 1 to {MAX_NAME} printable characters")
    if role is None and not person:
        raise click.MissingParameter(param_hint="--role", param_type="option")
    given = Role.ADMIN if role is None else Role(role)
    settings = load_settings(overrides)
    now_ms = SystemClock().now_ms()
    try:
        expires_ms = now_ms + Duration.parse(expires).ms if expires else None
    except ValueError as error:
        raise click.BadParameter(f"{expires!r}: {error}", param_hint="--expires") from error
    with closing(tokens_of(settings)) as kept:
        token, secret = kept.create(name, given, now_ms, expires_ms, person)
    if as_json:
        say_json({**_row(token), "secret": secret})
    else:
        click.echo(secret)
        who = f"{name} is {person}" if person else f"{name} is {role}"
        told = f"{token.id}: {who}; keep the secret, it is not shown again"
        click.echo(told, err=True)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
@click.option("--fail-empty", is_flag=True, help="Exit 3 when there is nothing to show.")
@setting_options("data_dir")
def list_tokens(as_json: bool, fail_empty: bool, **overrides: object) -> None:
    """List the tokens, revoked and expired ones too; no secret is known."""
    now_ms = SystemClock().now_ms()
    with closing(tokens_of(load_settings(overrides))) as kept:
        found = kept.tokens()
    tell_list(
        [_row(token) for token in found],
        lambda: table(
            ["id", "name", "role", "state", "expires"],
            [[one.id, one.name, one.role, _state(one, now_ms), _expiry(one)] for one in found],
        ),
        empty="no tokens; make one: tocsin token create NAME --role admin",
        as_json=as_json,
        fail_empty=fail_empty,
    )


@command.command("revoke")
@click.argument("token", metavar="ID_OR_NAME")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors too.")
@setting_options("data_dir")
def revoke(token: str, as_json: bool, **overrides: object) -> None:
    """Let a token open nothing any more, at once."""
    with closing(tokens_of(load_settings(overrides))) as kept:
        revoked = kept.revoke(token, SystemClock().now_ms())
    if as_json:
        say_json(_row(revoked))
    else:
        click.echo(f"{revoked.id} ({revoked.name}) is revoked")


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "person": token.person,
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "revoked_ms": token.revoked_ms,
    }


def _expiry(token: Token) -> str:
    return "never" if token.expires_ms is None else moment(token.expires_ms)


def _state(token: Token, now_ms: int) -> str:
    if token.revoked_ms is not None:
        return "revoked"
    return "valid" if token.lives(now_ms) else "expired"

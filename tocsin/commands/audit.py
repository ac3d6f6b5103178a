"""``tocsin audit``: who changed what, from where, and how it ended."""

from __future__ import annotations

import click

from tocsin.client.wording import moment
from tocsin.terminal.answers import asking, asks, table, tell_list


@click.command("audit")
@asks()
def command(api_url: str | None, as_json: bool, fail_empty: bool) -> None:
    """List the requests that changed something or were refused, the newest first.

    Where tokens are demanded it takes one of an admin.
    """
    with asking(api_url) as api:
        found = api.audit()["entries"]
    tell_list(
        found,
        lambda: table(
            ["when", "who", "from", "outcome", "what"],
            [
                [
                    moment(one["time_ms"]),
                    f"{one['who']} ({one['role'] or 'no token'})",
                    one["peer"],
                    str(one["outcome"]),
                    f"{one['method']} {one['path']} {one['reason']}",
                ]
                for one in found
            ],
        ),
        empty="nothing was changed",
        as_json=as_json,
        fail_empty=fail_empty,
    )

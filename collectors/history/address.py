"""The address of a ClickHouse server, and the database that it names."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

DATABASE = "tocsin"


def database_of(url: str) -> str:
    """Return the database of an address, the usual one when it names none.

    >>> database_of("https://clickhouse:8443/team_a"), database_of("embedded")
    ('team_a', 'tocsin')
    """
    parts = urlsplit(url)
    return (parts.path.strip("/") if parts.netloc else "") or DATABASE


def server_of(url: str) -> str:
    """Return an address without its database.

    >>> server_of("https://tocsin:secret@clickhouse:8443/team_a?verify=false")
    'https://tocsin:secret@clickhouse:8443?verify=false'
    """
    return urlunsplit(urlsplit(url)._replace(path=""))

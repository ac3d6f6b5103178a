"""Where the tokens are: in the data directory, or in the PostgreSQL of a cluster."""

from __future__ import annotations

from tocsin.access.tokens import TokenFile, Tokens
from tocsin.cluster.place import place_of
from tocsin.settings import Settings


def tokens_of(settings: Settings) -> Tokens:
    """Return the tokens that are in force.

    Raises:
        ConfigError: What a cluster needs is not set.
        StorageError: The database of the cluster can't be reached.
    """
    place = place_of(settings)
    if place is None:
        return TokenFile(settings.data_dir)
    # It takes the database's client along, which one process alone does not need.
    from tocsin.access.token_table import TokenTable

    return TokenTable(place.database_url)

"""Lists of names as operators write them: ``service.*, host.name``, or a list in TOML."""

from __future__ import annotations

from collections.abc import Iterable


class Names(tuple[str, ...]):
    """Names or patterns, in an order that counts.

    >>> Names.parse("service.*, team")
    ('service.*', 'team')
    >>> str(Names.parse(["service.*", "team"]))
    'service.*, team'
    """

    __slots__ = ()

    @classmethod
    def parse(cls, given: object) -> Names:
        """Read a text with commas, or a list; raise ``ValueError`` for anything else."""
        if isinstance(given, str):
            given = given.split(",")
        if not isinstance(given, Iterable) or not all(isinstance(one, str) for one in given):
            raise ValueError(f"{given!r} is not a list of names: write them with commas between")
        return cls(name.strip() for name in given if name.strip())

    def __str__(self) -> str:
        return ", ".join(self)

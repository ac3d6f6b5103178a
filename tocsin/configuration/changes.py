"""What differs between two readings of the configuration directory, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from typing import Any

from tocsin.configuration.reading import FILES, Configuration

# Kinds of files that a running server does not take up.
_AT_A_START = ("rollups", "notifiers")


def differences(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """Return one phrase for each thing that was added, changed or removed.

    Args:
        before: What was in force.
        after: What is read now.
    """
    return tuple(
        f"{told} (takes effect at the next start)" if file.kind in _AT_A_START else told
        for file in FILES
        for told in _changes(file.kind, _said(before, file.field), _said(after, file.field))
    )


def _said(configuration: Configuration, field: str) -> Any:
    if field in configuration.definitions:
        return configuration.definitions[field]
    return getattr(configuration, field)


def _changes(kind: str, before: Any, after: Any) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    if old is None or new is None:
        if before != after:
            yield f"{kind} changed"
        return
    for name in new.keys() - old.keys():
        yield f"{kind} {name} added"
    for name in old.keys() - new.keys():
        yield f"{kind} {name} removed"
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield f"{kind} {name} changed"


def _by_name(said: Any) -> Mapping[str, Any] | None:
    """Return named things by name, without their place in a file; None if they have no names."""
    if not isinstance(said, tuple) or not all(hasattr(one, "name") for one in said):
        return None
    return {one.name: _placeless(one) for one in said}


def _placeless(one: Any) -> Any:
    if is_dataclass(one) and not isinstance(one, type) and hasattr(one, "source"):
        return replace(one, source="")
    return one

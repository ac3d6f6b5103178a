"""The notifiers by the name that routes give: every file here that declares one.

A notifier is a module of this package with a :class:`~runbooks.notifiers.kind.NotifierKind` named
``NOTIFIER``. Nothing else needs to know of it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from runbooks import notifiers as package
from runbooks.notifiers.kind import NotifierKind


@cache
def notifiers() -> Mapping[str, NotifierKind[Any]]:
    """Return all notifiers by name, in the order of the names.

    Raises:
        ValueError: Two files declare the same name.
    """
    found: dict[str, NotifierKind[Any]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(import_module(f"{package.__name__}.{module.name}"), "NOTIFIER", None)
        if not isinstance(kind, NotifierKind):
            continue
        if kind.name in found:
            raise ValueError(
                f"{module.name}.py declares a notifier {kind.name!r}, but another file has that "
                "name: give it one of its own"
            )
        found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))

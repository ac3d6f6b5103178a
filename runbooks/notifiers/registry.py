"""The notifiers by the name that routes give: every file here that declares one.

A notifier is a module of this package with a :class:`~runbooks.notifiers.kind.NotifierKind` named
``NOTIFIER``. Nothing else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from collectors.discovery import declared
from runbooks import notifiers as package
from runbooks.notifiers.kind import NotifierKind


@cache
def notifiers() -> Mapping[str, NotifierKind[Any]]:
    """Return all notifiers by name, in the order of their files' names.

    Raises:
        ConfigError: Two files declare the same name.
    """
    return MappingProxyType(declared(package, "NOTIFIER", NotifierKind))

"""The detectors by the name that a configuration gives: every file here that declares one.

A detector is a module of this package with a :class:`~anomaly.detectors.kind.DetectorKind` named
``DETECTOR``. Nothing else needs to know of it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from anomaly import detectors as package
from anomaly.detectors.kind import DetectorKind


@cache
def detectors() -> Mapping[str, DetectorKind[Any]]:
    """Return all detectors by name, in the order of their files' names.

    Raises:
        ValueError: Two files declare the same name.
    """
    found: dict[str, DetectorKind[Any]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        kind = getattr(import_module(f"{package.__name__}.{module.name}"), "DETECTOR", None)
        if not isinstance(kind, DetectorKind):
            continue
        if kind.name in found:
            raise ValueError(
                f"{module.name}.py declares a detector {kind.name!r}, but another file has that "
                "name: give it one of its own"
            )
        found[kind.name] = kind
    return MappingProxyType(found)

"""The detectors by the name that a configuration gives: every file here that declares one.

A detector is a module of this package with a :class:`~anomaly.detectors.kind.DetectorKind` named
``DETECTOR``. Nothing else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from anomaly import detectors as package
from anomaly.detectors.kind import DetectorKind
from collectors.discovery import declared


@cache
def detectors() -> Mapping[str, DetectorKind[Any]]:
    """Return all detectors by name, in the order of their files' names.

    Raises:
        ConfigError: Two files declare the same name.
    """
    return MappingProxyType(declared(package, "DETECTOR", DetectorKind))

"""Finds what the files of a package declare: one more file is all that one more thing takes.

A file takes part by a constant of an agreed name and type. Nothing is imported before somebody
asks; who asks keeps the answer.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Protocol, TypeVar

from collectors.errors import ConfigError

_FAKES = "testing"


class Named(Protocol):
    """What has a name of its own."""

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...


T = TypeVar("T", bound=Named)


def declared(package: ModuleType, constant: str, kind: type[T]) -> dict[str, T]:
    """Return what the modules in a package, and in packages below it, declare.

    Args:
        package: Where to look; what lies in a package called ``testing`` is left out.
        constant: Name of the constant.
        kind: Its type. A constant of another type is somebody else's and is left out.

    Returns:
        The declarations by their own names, in the order of the modules' names.

    Raises:
        ConfigError: Two files declare the same name.
    """
    found: dict[str, T] = {}
    for module in sorted(_modules(package)):
        declaration = getattr(import_module(module), constant, None)
        if not isinstance(declaration, kind):
            continue
        if declaration.name in found:
            raise ConfigError(
                f"{module} declares a {constant} {declaration.name!r}, but another file has that "
                "name: give it one of its own"
            )
        found[declaration.name] = declaration
    return found


def _modules(package: ModuleType) -> Iterator[str]:
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if not module.ispkg:
            yield module.name
        elif module.name.rpartition(".")[2] != _FAKES:
            yield from _modules(import_module(module.name))

"""The decorators for every compiled function of the store.

Kernels work on arrays that their caller made: numba's own allocation is switched off (``_nrt``),
because with it every access to a field of a tuple of arrays counts references atomically, which
made the ingest kernel ten times slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from collectors.kernel_cache import cached

# ``_nrt`` is an option of numba that its type information does not list.
_njit: Any = numba.njit
# Without numpy's error model every division is a branch to an exception, and no loop with one is
# vectorised.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False, "error_model": "numpy"}
_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compile ``function``: cached on disk, without the GIL, without allocation.

    Wrapped here once so that the type checker keeps the function's own signature.
    """
    return cast("_F", cached(_njit(**_OPTIONS)(function)))


def inlined(function: _F) -> _F:
    """Compile ``function`` into each kernel that calls it: a call would pass every array again."""
    return cast("_F", _njit(inline="always", **_OPTIONS)(function))


def called(function: _F) -> _F:
    """Compile ``function`` for kernels that call it rarely, so that they stay small."""
    return cast("_F", _njit(**_OPTIONS)(function))


def finite(function: _F) -> _F:
    """Compile ``function`` for numbers that are all finite: its least and largest are vectorised.

    With a NaN among its arguments its result is any.
    """
    return cast("_F", _njit(fastmath={"nnan", "nsz"}, **_OPTIONS)(function))

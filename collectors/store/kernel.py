"""One decorator for every compiled function of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compile ``function`` with numba: cached on disk, running without the GIL.

    Wrapped here once so that the type checker keeps the function's own signature.
    """
    return cast("_F", numba.njit(cache=True, nogil=True)(function))

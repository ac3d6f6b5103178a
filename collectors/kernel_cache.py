"""Keeps compiled kernels as long as all that was compiled into them is the same, and no longer.

Numba compares a cached kernel with the file that it stands in, not with the functions of other
files that are compiled into it, nor with the order of an array record's fields. Here a kernel is
stamped with everything that it was made of: its code, the constants that it names, and the same of
each function that it calls. So a stale kernel is never used, and an edit recompiles the kernels
that it reaches, not those beside them.

::

    ingest ──▶ _put ──▶ BLOCK_STEPS = 60            one of them changes: ingest is compiled again
       └─────▶ floor_div                            a comment, a docstring, a line above: it is not
    record HotArrays(table, pool, …)                its fields' names belong to the signature's key
"""

from __future__ import annotations

import dis
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

import numpy as np
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.dispatcher import Dispatcher

# Numba's type information is incomplete here.
_Impl: Any = CompileResultCacheImpl
_Cache: Any = FunctionCache
_TUPLES: Any = types.BaseTuple
# Whose functions numba brings along: they change with its version, which it looks at itself.
_KNOWN_MODULES = ("numpy", "math")
_LINE = re.compile(r"-\d+(?=\.py)")


def digest_of(function: Callable[..., Any]) -> str:
    """Return a digest of all that a kernel is made of.

    Args:
        function: A Python function, or a compiled one.

    Raises:
        TypeError: It names something whose changes can't be seen: an object that is neither a
            constant nor a function, or a module of which it would take a part.
    """
    seen: set[int] = set()
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(function, "", seen):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def cached(dispatcher: Any) -> Any:
    """Have a compiled function kept on disk; return it. With ``NUMBA_DISABLE_JIT`` it is none."""
    if hasattr(dispatcher, "py_func"):
        dispatcher._cache = _KernelCache(dispatcher.py_func)  # noqa: SLF001 - as enable_caching does
    return dispatcher


class _KernelImpl(_Impl):  # type: ignore[misc]
    """Names files without the line of the function, which edits above it move."""

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        base: str = super().get_filename_base(fullname, abiflags)
        return _LINE.sub("", base)


class _KernelCache(_Cache):  # type: ignore[misc]
    """Compiled functions on disk, stamped with what they are made of."""

    _impl_class = _KernelImpl
    _stamped = False

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load a compiled function; None when there is none that fits."""
        with _no_scipy():
            return super().load_overload(sig, target_context)

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        self._stamp()
        return super()._load_overload(sig, target_context)

    def _save_overload(self, sig: Any, data: Any) -> None:
        self._stamp()
        super()._save_overload(sig, data)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        # Records are compared by class: one whose fields changed places would pass for itself.
        return super()._index_key(sig, codegen), tuple(_fields_of(sig))

    def _stamp(self) -> None:
        """Stamp at first use: with the import not all that a function names need be there."""
        if not self._stamped:
            self._cache_file._source_stamp = digest_of(self._py_func)  # noqa: SLF001 - numba offers no other way
            self._stamped = True


@contextmanager
def _no_scipy() -> Iterator[None]:
    """Keep numba from importing the linear algebra of scipy, which no kernel uses: 16 MB."""
    if "scipy.linalg" in sys.modules:
        yield
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]  # an import then fails, as if absent
    try:
        yield
    finally:
        del sys.modules["scipy.linalg"]


def _fields_of(signature: Any) -> Iterator[str]:
    """Yield the names of the fields of each record in a signature, in their order."""
    for one in signature:
        if isinstance(one, types.NamedTuple | types.NamedUniTuple):
            yield f"{one.instance_class.__qualname__}({', '.join(one.fields)})"
        if isinstance(one, _TUPLES):
            yield from _fields_of(one.types)


def _parts(found: object, name: str, seen: set[int]) -> Iterator[str]:
    """Yield what ``found`` is made of, each function once."""
    if isinstance(found, Dispatcher):
        yield from _options(found.targetoptions)
        found = found.py_func
    if isinstance(found, FunctionType):
        if id(found) not in seen:
            seen.add(id(found))
            own, named = _function(found)
            yield own
            for key, value in named:
                yield from _parts(value, key, seen)
    elif isinstance(found, bool | int | float | str | bytes | np.generic | type(None)):
        yield f"{name}={type(found).__name__}:{found!r}"
    elif isinstance(found, tuple):
        for one in found:
            yield from _parts(one, name, seen)
    elif isinstance(found, type) and hasattr(found, "_fields"):
        yield f"{found.__qualname__}({', '.join(cast('Any', found)._fields)})"
    elif isinstance(found, ModuleType) and found.__name__ in _KNOWN_MODULES:
        yield found.__name__
    else:
        raise TypeError(
            f"a kernel names '{name}', {type(found).__name__}, whose changes can't be seen: pass it"
            " as an argument, or import the function or constant that is needed by its name"
        )


def _options(options: Mapping[str, object]) -> Iterator[str]:
    """Yield options; a set's order is another in each process."""
    for name, value in sorted(options.items()):
        yield f"{name}={sorted(value) if isinstance(value, set | frozenset) else value!r}"


@cache  # many kernels are made of the same few functions
def _function(function: FunctionType) -> tuple[str, tuple[tuple[str, object], ...]]:
    """Return what a function is by itself, and what it names."""
    own = f"{function.__module__}.{function.__qualname__}{function.__defaults__!r}"
    code = function.__code__
    named = {name: function.__globals__[name] for name in _names(code, function.__globals__)}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        named[name] = cell.cell_contents
    return " ".join((own, *_code(code, function.__doc__))), tuple(sorted(named.items()))


def _code(code: CodeType, doc: str | None = None) -> Iterator[str]:
    """Yield instructions and constants; lines and documentation don't count."""
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        elif isinstance(constant, frozenset):
            yield repr(sorted(constant, key=repr))
        elif doc is None or constant != doc:
            yield repr(constant)


def _names(code: CodeType, known: Mapping[str, object]) -> Iterator[str]:
    """Yield which of the ``known`` names of a module the code takes.

    Names of attributes stand in the same table: they are told apart where it matters.
    """
    for name in code.co_names:
        if name in known and (_is_plain(known[name]) or name in _globals_of(code)):
            yield name
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant, known)


def _is_plain(found: object) -> bool:
    return found is np or isinstance(found, Dispatcher | int | float | np.generic)


@cache
def _globals_of(code: CodeType) -> frozenset[str]:
    loads = (one for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL")
    return frozenset(str(one.argval) for one in loads)

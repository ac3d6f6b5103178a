"""The house as its imports show it: rooms, what they know of one another, circles and sizes.

``python -m tests.architecture.house`` prints the figures.
"""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("collectors", "anomaly", "runbooks", "dashboards", "demo_stack", "tocsin")

Graph = Mapping[str, frozenset[str]]


def tracked_files(pattern: str = "*.py") -> list[Path]:
    """Return the files of the project that git knows, or would know."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in names.splitlines() if (ROOT / name).exists()]


def product_files() -> list[Path]:
    """Return the Python files of the product's rooms."""
    return [path for path in tracked_files() if path.relative_to(ROOT).parts[0] in ROOMS]


@cache
def file_imports() -> Graph:
    """Return the modules of the house that each of its modules imports, wherever in the file."""
    modules = {_module(path): path for path in product_files()}
    found = {}
    for name, path in modules.items():
        named = set(_imported(ast.parse(path.read_text())))
        known = {_known(full, modules) for full in named} - {None, name}
        found[name] = frozenset(module for module in known if module)
    return found


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _known(name: str, modules: Mapping[str, Path]) -> str | None:
    """Return the module that an imported name stands for or stands in."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def room_imports(depth: int = 99) -> Graph:
    """Return which packages each package imports from, itself left out."""
    modules = {_module(path): path for path in product_files()}
    rooms = {name: _room(path, depth) for name, path in modules.items()}
    found: dict[str, set[str]] = {room: set() for room in rooms.values()}
    for name, others in file_imports().items():
        found[rooms[name]] |= {rooms[other] for other in others}
    return {room: frozenset(others - {room}) for room, others in found.items()}


def _room(path: Path, depth: int) -> str:
    return "/".join(path.relative_to(ROOT).parent.parts[:depth])


def circle(graph: Graph) -> list[str]:
    """Return one circle, empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(node) for node in error.args[1]]
    return []


def against(allowed: Mapping[str, Iterable[str]], top: str) -> list[str]:
    """Return the imports between rooms below ``top`` that the table does not allow.

    Args:
        allowed: Room (path below ``top``, "" for top's own files) to the rooms it may import
            from, each with what is in it.
        top: The room that holds them.
    """
    wrong = []
    for room, others in room_imports().items():
        if room != top and not room.startswith(f"{top}/"):
            continue
        own = room.removeprefix(top).removeprefix("/")
        below = {other.removeprefix(top).removeprefix("/") for other in others if _in(other, top)}
        may = allowed.get(own, ()) if own in allowed else None
        if may is None:
            wrong.append(f"{room} stands in no table")
            continue
        wrong += [
            f"{room} → {top}/{other}"
            for other in sorted(below)
            if not any(_in(other, one) for one in may)
        ]
    return sorted(wrong)


def _in(room: str, other: str) -> bool:
    """Return whether ``room`` is ``other`` or lies in it; "" has only its own files."""
    return room == other or (bool(other) and room.startswith(f"{other}/"))


def files_a_folder(paths: Iterable[Path]) -> Counter[str]:
    """Return how many Python files each folder holds, package markers left out."""
    return Counter(
        path.parent.relative_to(ROOT).as_posix() for path in paths if path.name != "__init__.py"
    )


def text_constants(file: Path) -> set[str]:
    """Return the strings in a Python file."""
    nodes = ast.walk(ast.parse(file.read_text()))
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def main() -> None:
    """Print the figures that a newcomer feels."""
    folders = files_a_folder(product_files())
    largest = ", ".join(f"{folder} {count}" for folder, count in folders.most_common(3))
    lengths = sorted(len(path.read_text().splitlines()) for path in product_files())
    print(f"files a folder: at most {max(folders.values())} ({largest})")  # noqa: T201 # a command
    median, longest = lengths[len(lengths) // 2], lengths[-1]
    print(f"lines a file: median {median}, at most {longest}; {len(lengths)} files")  # noqa: T201 # as above
    circles = [found for found in (circle(file_imports()), circle(room_imports())) if found]
    print(f"circles: {len(circles)}" + "".join(f"\n  {' → '.join(c)}" for c in circles))  # noqa: T201 # as above


if __name__ == "__main__":
    main()

"""The rooms of the demo platform import one way, and its tests stand in the same rooms."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
STACK = ROOT / "demo_stack"
TESTS = ROOT / "tests" / "demo_stack"

GROUND = {"world", "chassis"}
"""What everybody may use: names, and what a service stands on."""

SUPPORT = {"business", "eventlog", "mantis", "registry", "resilience", "stores"}
"""What services use; none of it knows another."""

ALLOWED: dict[str, set[str]] = {
    "world": set(),
    "chassis": {"world"},
    **dict.fromkeys(SUPPORT, GROUND),
    "services": set(),
    "services/auth": GROUND,
    "services/billing": GROUND,
    "services/catalogue": GROUND | {"stores"},
    "services/edge": GROUND,
    "services/licences": GROUND,
    "services/encoding": GROUND | {"services/licences"},
    "services/gateway": GROUND | {"business", "resilience"},
    "services/playback": GROUND | {"eventlog", "stores", "services/encoding"},
    "services/recommendations": GROUND | {"eventlog"},
    "regions": GROUND | SUPPORT | {"services"},
    "viewers": GROUND,
    "chaos": GROUND,
    "supervisor": set(),
    "supervisor/processes": GROUND | {"regions", "services", "viewers"},
    "supervisor/deployment": GROUND,
    "supervisor/scaling": GROUND | {"supervisor/deployment"},
    "supervisor/control": GROUND | {"chaos", "supervisor"},
    "in_memory": GROUND | {"regions", "viewers", "supervisor/processes"},
    "slack": set(),
    # The command line is above all of them.
    "": GROUND | {"business", "chaos", "in_memory", "regions", "services", "supervisor", "viewers"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""

MAX_FILES = 25


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of the platform that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.split(".")[0] == STACK.name)


def file_of(module: str) -> Path | None:
    """Return the file behind an imported name; ``None`` for a room without any."""
    path = ROOT.joinpath(*module.split("."))
    for found in (path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py")):
        if found.is_file():
            return found
    return None


def room_of(path: Path) -> str:
    """Return the room that a file stands in, such as ``services/auth``."""
    room = path.parent.relative_to(STACK).as_posix()
    return "" if room == "." else room


def allowed(room: str, other: str) -> bool:
    """Return whether ``room`` may import from ``other``."""
    below = ALLOWED.get(room, set())
    return other == room or any(other == one or other.startswith(f"{one}/") for one in below)


def links() -> dict[Path, set[Path]]:
    """Return the files that each file of the platform imports."""
    return {
        path: {found for name in imported(path) if (found := file_of(name))} - {path}
        for path in sorted(STACK.rglob("*.py"))
    }


def test_a_room_imports_only_from_the_rooms_below_it() -> None:
    """A service that reaches into the region it runs in ties all rooms into one knot again."""
    wrong = sorted(
        f"{path.relative_to(STACK)} imports {other.relative_to(STACK)}"
        for path, others in links().items()
        for other in others
        if not allowed(room_of(path), room_of(other))
    )

    assert wrong == []


def test_every_room_is_in_the_table() -> None:
    """A new room that nobody gave a place could import, and be imported, from anywhere."""
    rooms = {room_of(path) for path in STACK.rglob("*.py")}

    assert rooms == set(ALLOWED)


def test_no_files_import_each_other_in_a_circle() -> None:
    """Two files that need each other can't be read, tested or moved one without the other."""
    try:
        TopologicalSorter(links()).prepare()
        circle: list[str] = []
    except CycleError as error:
        circle = [str(path.relative_to(STACK)) for path in error.args[1]]

    assert circle == []


def test_the_table_has_no_circles() -> None:
    """A table that allows both directions between two rooms would let a knot grow again."""
    order = TopologicalSorter(
        {room: {one for one in ALLOWED if one != room and allowed(room, one)} for room in ALLOWED}
    )

    assert list(order.static_order())


def test_the_rule_itself_catches_a_wrong_import(tmp_path: Path) -> None:
    """A check that reads imports wrongly would allow everything."""
    source = tmp_path / "app.py"
    source.write_text(
        "from demo_stack.regions.region import Region\n"
        "from demo_stack.services import auth\n"
        "def late():\n    import demo_stack.chassis.client\n"
    )
    found = [file_of(name) for name in imported(source)]
    rooms = [room_of(path) for path in found if path]

    assert rooms == ["regions", "services/auth", "chassis"]
    assert [allowed("services/gateway", room) for room in rooms] == [False, False, True]


def test_tests_stand_in_the_rooms_that_they_test() -> None:
    """Whoever changes a room must find its tests without a search."""
    rooms = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}

    assert rooms - {"."} <= set(ALLOWED)


def test_no_room_is_crowded() -> None:
    """A folder of more files than fit a screen is a pile and no room."""
    folders = {path.parent for top in (STACK, TESTS) for path in top.rglob("*.py")}
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder in sorted(folders)
        if (count := len(list(folder.glob("*.py")))) > MAX_FILES
    }

    assert crowded == {}

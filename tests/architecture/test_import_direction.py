"""The rooms import one way: tocsin → runbooks → anomaly → collectors."""

import ast

import pytest

from tests.architecture.house import (
    ROOT,
    circle,
    file_imports,
    files_a_folder,
    product_files,
    tracked_files,
)

# Pure, without any import of the house: words for people, and how services name what they count.
WORDING_AND_NAMES = {
    *("tocsin.client.wording", "tocsin.client.conventions", "tocsin.client.stack_words"),
}

ALLOWED = {
    "collectors": {"collectors"},
    "anomaly": {"anomaly", "collectors", *WORDING_AND_NAMES},
    "runbooks": {"runbooks", "anomaly", "collectors", "tocsin.client.wording"},
    "tocsin": {"tocsin", "runbooks", "anomaly", "collectors"},
    # The ground that command line, pages and tests share: it needs nothing of the house.
    "tocsin/client": {"tocsin.client"},
    # The dashboard speaks HTTP only; the client is the one piece it shares with the command line.
    "dashboards": {"dashboards", "tocsin.client"},
    # The platform is anybody's: it knows the protocols' addresses and nothing else.
    "demo_stack": {"demo_stack"},
}


def imported_modules(source: str) -> set[str]:
    """Return every module that ``source`` imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def forbidden(room: str, modules: set[str]) -> set[str]:
    """Return those of ``modules`` that ``room`` must not import."""
    ours = {m for m in modules if m.split(".")[0] in ALLOWED}
    allowed = ALLOWED[room]
    return {m for m in ours if not any(m == a or m.startswith(a + ".") for a in allowed)}


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    """No file of a room imports against the direction of the house."""
    wrong = {
        str(path.relative_to(ROOT)): sorted(bad)
        for path in sorted((ROOT / room).rglob("*.py"))
        if (bad := forbidden(room, imported_modules(path.read_text())))
    }

    assert wrong == {}


def test_the_rule_itself_catches_a_wrong_import() -> None:
    """The check sees plain, from-, nested and submodule imports."""
    source = "def f():\n    from runbooks.desk import IncidentDesk\nimport tocsin.client\n"

    assert forbidden("collectors", imported_modules(source)) == {"runbooks.desk", "tocsin.client"}
    assert forbidden("dashboards", imported_modules(source)) == {"runbooks.desk"}
    assert forbidden("tocsin/client", {"tocsin.client.errors", "tocsin.settings"}) == {
        "tocsin.settings"
    }
    assert forbidden("tocsin", {"dashboards.serve"}) == {"dashboards.serve"}


MAX_FILES_A_FOLDER = 25


def test_no_file_knows_itself_by_way_of_others() -> None:
    """Two files that import each other are one file in two places."""
    assert circle(file_imports()) == []


def test_a_circle_is_seen() -> None:
    """A rule that finds nothing proves nothing."""
    looped = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")}
    assert set(circle(looped)) == set("abc")
    assert circle({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}) == []


def test_folders_stay_small() -> None:
    """A pile of files is searched, a shelf is read."""
    large = {f: n for f, n in files_a_folder(product_files()).items() if n > MAX_FILES_A_FOLDER}
    assert large == {}


def test_files_and_functions_stay_small() -> None:
    """No file over 500 lines; no function over 60; nine in ten within 30."""
    long_files, long_functions, sizes = [], [], []
    for path in tracked_files():
        source = path.read_text()
        if source.count("\n") > 500:
            long_files.append(str(path.relative_to(ROOT)))
        if path.relative_to(ROOT).parts[0] == "tests":
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                sizes.append(size)
                if size > 60:
                    long_functions.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")

    assert long_files == []
    assert long_functions == []
    assert not sizes or sum(size <= 30 for size in sizes) >= 0.9 * len(sizes)

"""What single files can't show: directories that nobody reads, and names that no other file knows.

Every check here finds something that would be silent otherwise: a server that watches nothing, a
folder that is passed over, a route that can never match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from anomaly.prometheus_rules.group import RuleGroup
from collectors.documents.reading import SUFFIXES, Mistakes, load_section
from collectors.documents.section import PLAIN, Context, Section, close_to
from collectors.errors import ConfigError, DocumentError
from collectors.stacklang.evaluation.batch import parse
from runbooks.heartbeats.heartbeat import HEARTBEAT
from runbooks.paging.routing import RoutesFile, every_shape
from tocsin.configuration.reading import FILES, Configuration, read_configuration

_DIRECTORY, _FILE = "(directory)", "(file)"
# `slo` and `slos` are 0.86 alike, `notes` and `routes` 0.73.
_MIN_LIKENESS = 0.8
# On every finding, whatever the rule groups by.
_ALWAYS_KEYS = frozenset({"service.name"})


def checked_configuration(directory: Path | None, context: Context = PLAIN) -> Configuration:
    """Read every file and check what they say together, as ``serve`` and ``check-config`` do.

    Args:
        directory: The configuration directory; without one there is only what is built in.
        context: How documents are read; expressions are parsed in any case.

    Raises:
        ConfigError: There is no such directory.
        DocumentError: All mistakes of all files, with file, line and field.
    """
    if directory is None:
        return read_configuration(None)
    if not directory.is_dir():
        what = "is not a directory" if directory.exists() else "no such directory"
        raise ConfigError(f"{directory}: {what}; set TOCSIN_CONFIG_DIR or --config-dir")
    context = replace(context, check_expression=parse)
    mistakes = Mistakes(tuple(layout_mistakes(directory)))
    read = mistakes.attempt(partial(read_configuration, directory, context), None)
    mistakes.errors.extend(route_mistakes(directory, read))
    mistakes.raise_any()
    return read_configuration(directory, context) if read is None else read


def starting_configuration(
    directory: Path | None,
) -> tuple[Configuration, tuple[ConfigError, ...]]:
    """Return what a start puts into force, and what is wrong although it starts.

    A bare directory waits for its first file: nothing in it can be mistaken, and a reload takes
    what comes. That nothing is watched until then has to be told.

    Raises:
        ConfigError: There is no such directory.
        DocumentError: All mistakes of all files, with file, line and field.
    """
    if directory is not None and directory.is_dir() and not any(directory.iterdir()):
        return read_configuration(None), tuple(layout_mistakes(directory))
    return checked_configuration(directory), ()


def layout_mistakes(directory: Path) -> Iterator[DocumentError]:
    """Yield what stands in ``directory`` and would not be read although it is meant to be."""
    folders, files = _known_names()
    found = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    for path in found:
        if path.name in folders and path.is_dir():
            yield from _folder_mistakes(path)
        elif path.name not in folders | files:
            yield from _near_name(path, folders, files)
    if not any(path.name in folders | files for path in found):
        known = ", ".join([*(f"{name}/" for name in sorted(folders)), *sorted(files)])
        yield _mistake(directory, _DIRECTORY, f"holds nothing that is read, which is: {known}")


def _known_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the folders and the files that the table of files names."""
    patterns = [Path(file.pattern) for file in FILES]
    folders = frozenset(p.parts[0] for p in patterns if len(p.parts) > 1)
    return folders, frozenset(p.name for p in patterns if len(p.parts) == 1)


def _folder_mistakes(folder: Path) -> Iterator[DocumentError]:
    documents = 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue  # editors leave such files
        if path.is_dir() and any(below.suffix in SUFFIXES for below in path.iterdir()):
            told = f"folders within {folder.name}/ are not read: move its files up"
            yield _mistake(path, _DIRECTORY, told)
        documents += path.suffix in SUFFIXES
        if path.suffix not in SUFFIXES and close_to(path.suffix, SUFFIXES):
            known = ", ".join(SUFFIXES)
            yield _mistake(path, _FILE, f"files that end in {path.suffix} are not read: {known}")
    if not documents:
        yield _mistake(folder, _DIRECTORY, "holds no document; remove it or write one")


def _near_name(path: Path, folders: Iterable[str], files: Iterable[str]) -> Iterator[DocumentError]:
    """Yield that a name is probably a slip of one that is read."""
    meant = {name: f"{name}/" for name in folders} | {Path(name).stem: name for name in files}
    if path.is_file() and path.suffix.lower() not in SUFFIXES:
        return
    near = get_close_matches(path.stem.lower(), meant, n=1, cutoff=_MIN_LIKENESS)
    if near:
        field = _DIRECTORY if path.is_dir() else _FILE
        yield _mistake(path, field, f"is not read; did you mean {meant[near[0]]}?")


def _mistake(path: Path, field: str, message: str) -> DocumentError:
    return DocumentError(message, file=str(path), line=0, field=field)


def route_mistakes(directory: Path, read: Configuration | None) -> Iterator[DocumentError]:
    """Yield match keys that no finding can carry.

    Args:
        directory: The configuration directory.
        read: What all files say; None when some can't be read, and what findings carry is unknown.
    """
    path = directory / "routes.yaml"
    try:
        shape = load_section(path, RoutesFile) if path.exists() else None
    except DocumentError:
        return  # told by whoever reads the routes
    if shape is None:
        return
    carried = None if read is None else finding_keys(read.definitions)
    if read is not None and carried:
        carried |= {key for beat in read.heartbeats for key in (*beat.scope, HEARTBEAT)}
    for route in every_shape(shape.routes):
        if route.match is not None and carried:
            yield from _match_mistakes(route.match, dict(route.match.scope()), carried)


def _match_mistakes(
    match: Section, scope: Mapping[str, object], carried: frozenset[str]
) -> Iterator[DocumentError]:
    for key in scope:
        if key not in carried:
            known = sorted({"severity", *carried})
            told = f"no finding carries this key: the route never matches; {_remedy(key, known)}"
            yield match.at(key).error(told)


def finding_keys(definitions: Mapping[str, Iterable[Any]]) -> frozenset[str]:
    """Return the keys that findings may carry, by what their rules group by and add.

    Args:
        definitions: Objectives and detectors, by the name of their kind.
    """
    rules = [rule for several in definitions.values() for rule in several]
    if not any(rule.source for rule in rules):
        return frozenset()  # of what is built in alone nobody writes routes
    if any(isinstance(rule, RuleGroup) for rule in rules):
        return frozenset()  # an alert has whatever labels its series have
    keys = {key for rule in rules for key in (*rule.group_by, *getattr(rule, "scope", ()))}
    return frozenset(keys) | _ALWAYS_KEYS


def _remedy(name: str, known: Sequence[str]) -> str:
    meant = close_to(name, known)
    return f"did you mean {meant!r}?" if meant else f"known: {', '.join(known)}"

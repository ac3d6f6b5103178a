"""A diff as lines of code that really went and came, file by file."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_FILE = re.compile(r"^(?:\+\+\+ (?:b/)?(?P<new>\S+)|@@ (?!-)(?P<named>[\w./-]+\.\w+)\b)")
_HEAD = re.compile(r"^(?:---|\+\+\+|@@|diff |index )")
_COMMENT = re.compile(r"^(?://|#(?!include)|\*|/\*|--\s).*$|\s//\s.*$")
_LOGGED = re.compile(
    r"\b(?:log(?:ger|ging)?|slog|zap|console|LOG_\w+)\b[.(]|\bprint(?:f|ln)?\(", re.IGNORECASE
)
_SHOWN = re.compile(
    r"\.(?:css|scss|less|html|svg|md|rst|txt|snap|lock|sum|png)$|theme\.|(?:^|/)(?:docs?|documentation"
    r"|testdata|__tests__|tests?|\.github|\.circleci)/|_test\.|\.test\.|\.spec\.|CODEOWNERS|LICENSE",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One file's part of a diff: code only, without comments, logging and lines that only moved.

    Attributes:
        path: Of the file; "" when the diff does not say.
        removed: Lines that went.
        added: Lines that came.
        result: Lines of the hunk as they are now, those that only moved too.
    """

    path: str
    removed: tuple[str, ...]
    added: tuple[str, ...]
    result: tuple[str, ...]


def read_diff(text: str) -> tuple[FileDiff, ...]:
    r"""Return what a unified diff does to code; headings may also name files as ``@@ path @@``.

    >>> read_diff("+++ b/a.go\n- x := 1 // one\n+ x := 2")[0].added
    ('x := 2',)
    """
    parts: dict[str, list[str]] = {}
    path = ""
    for line in text.splitlines():
        found = _FILE.match(line)
        if found:
            path = found["new"] or found["named"]
        elif not _HEAD.match(line):
            parts.setdefault(path, []).append(line)
    files = [_file(path, lines) for path, lines in parts.items() if not _SHOWN.search(path)]
    return _without_moves(files)


def _file(path: str, lines: list[str]) -> FileDiff:
    code = [(line[:1], _code(line[1:])) for line in lines]
    kept = [(sign, text) for sign, text in code if text]
    return FileDiff(
        path=path,
        removed=tuple(text for sign, text in kept if sign == "-"),
        added=tuple(text for sign, text in kept if sign == "+"),
        result=tuple(text for sign, text in kept if sign != "-"),
    )


def _code(line: str) -> str:
    text = " ".join(_COMMENT.sub("", line.strip()).split())
    return "" if _LOGGED.search(text) else text


def _without_moves(files: list[FileDiff]) -> tuple[FileDiff, ...]:
    """Return the files without lines that went in one place and came in another."""
    went = Counter(line for file in files for line in file.removed)
    came = Counter(line for file in files for line in file.added)
    moved = went & came
    gone, new = Counter(moved), Counter(moved)
    return tuple(
        FileDiff(
            path=file.path,
            removed=_less(file.removed, gone),
            added=_less(file.added, new),
            result=file.result,
        )
        for file in files
    )


def _less(lines: tuple[str, ...], moved: Counter[str]) -> tuple[str, ...]:
    kept = []
    for line in lines:
        if moved[line] > 0:
            moved[line] -= 1
        else:
            kept.append(line)
    return tuple(kept)

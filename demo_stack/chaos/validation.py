"""Whether experiment files are what chaostoolkit and this platform take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from demo_stack.chaos.experiment import parse_experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is wrong with a file; nothing when ``problem`` is empty."""

    path: Path
    problem: str = ""


def chaoslib_check() -> Callable[[Mapping[str, Any]], None] | None:
    """Return chaostoolkit's own check, None where chaostoolkit-lib is not installed."""
    try:
        # chaostoolkit-lib ships no type information.
        from chaoslib.exceptions import ChaosException  # type: ignore[import-untyped]
        from chaoslib.experiment import (  # type: ignore[import-untyped]
            ensure_experiment_is_valid,
        )
    except ImportError:
        return None

    def check(document: Mapping[str, Any]) -> None:
        try:
            ensure_experiment_is_valid(document)
        except ChaosException as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    return check


def validate(
    paths: Iterable[Path], check: Callable[[Mapping[str, Any]], None] | None
) -> list[Verdict]:
    """Return a verdict for each file.

    Args:
        paths: Experiment files.
        check: Chaostoolkit's check; without it only ours is made.
    """
    return [Verdict(path=path, problem=_problem(path, check)) for path in paths]


def _problem(path: Path, check: Callable[[Mapping[str, Any]], None] | None) -> str:
    try:
        document = orjson.loads(path.read_bytes())
        if not isinstance(document, dict):
            return "an experiment is an object"
        if check is not None:
            check(document)
        parse_experiment(path.stem, document)
    except OSError as error:
        return f"can't be read: {error.strerror}"
    except StopIteration:
        return "no extension 'ground-truth'"
    except (KeyError, TypeError, AttributeError) as error:
        return f"lacks what an experiment has: {error!r}"
    except ValueError as error:
        return str(error)
    return ""

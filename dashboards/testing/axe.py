"""axe-core for tests: fetched through npm, run in a page, violations as text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE = "axe-core@4.14.1"
_SCRIPT = "package/axe.min.js"
_WITHIN_S = 120
_RUN = "(within) => axe.run(within, {resultTypes: ['violations']})"


class AxeMissingError(RuntimeError):
    """axe-core can't be had here; the message says why."""


def fetch_axe(directory: Path) -> str:
    """Return the source of axe-core, fetched into ``directory``.

    Raises:
        AxeMissingError: There is no npm, or it could not fetch the package.
    """
    beside = str(Path(sys.executable).parent)
    npm = shutil.which("npm", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if npm is None:
        raise AxeMissingError("npm is not installed")
    command = [npm, "pack", PACKAGE, "--silent"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            command, cwd=directory, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AxeMissingError(f"npm did not fetch {PACKAGE} within {_WITHIN_S} s") from error
    if done.returncode:
        raise AxeMissingError(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-300:]}")
    with tarfile.open(directory / done.stdout.split()[-1]) as archive:
        script = archive.extractfile(_SCRIPT)
        if script is None:
            raise AxeMissingError(f"{PACKAGE} holds no {_SCRIPT}")
        return script.read().decode("utf-8")


def violations(page: Page, axe: str, within: str = "html") -> list[str]:
    """Return what axe-core finds wrong with a page as it is drawn now, a line each.

    Args:
        page: Which.
        axe: Source of axe-core.
        within: Selector of the part to look at.
    """
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(_RUN, within)
    return [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary'][:240]})"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]

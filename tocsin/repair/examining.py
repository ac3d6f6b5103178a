"""What ``tocsin doctor`` says of the data directory, and ``--repair`` mends in it."""

from __future__ import annotations

from collections.abc import Iterator

from structlog.testing import capture_logs

from collectors.errors import ConfigError, TocsinError
from tocsin.data_directory import owned
from tocsin.repair.checks import Check, Health
from tocsin.settings import Settings


def examine_data(settings: Settings, *, repair: bool) -> Iterator[Check]:
    """Yield what is damaged; with ``repair`` it is mended where that is possible.

    The directory of a running server is left alone: it reads and writes there.
    """
    if not settings.data_dir.exists():
        return
    try:
        # What reading logs of damage is told here, and standard output is for the answer alone.
        with owned(settings.data_dir, keep_mode=True), capture_logs():
            yield from _examine(settings, repair=repair)
    except ConfigError as error:
        health = Health.PROBLEM if repair else Health.FINE
        yield Check(name="data", health=health, detail=f"not examined: {error.message}")
    except TocsinError as error:
        yield Check(name="data", health=Health.PROBLEM, detail=error.message)


def _examine(settings: Settings, *, repair: bool) -> Iterator[Check]:
    from tocsin.repair.damages import (
        damages,  # takes the stores and chDB, which others do without
    )

    sound = True
    for damage in damages(settings):
        sound = False
        told = f"{damage.place}: {damage.what}"
        if damage.mend is None:
            yield Check(name="data", health=Health.WARNING, detail=f"{told}; {damage.repair}")
        elif repair:
            detail = f"{told}; repaired: {damage.mend()}"
            yield Check(name="data", health=Health.WARNING, detail=detail)
        else:
            detail = f"{told}; `tocsin doctor --repair` would {damage.repair}"
            yield Check(name="data", health=Health.PROBLEM, detail=detail)
    if sound:
        yield Check(name="data", health=Health.FINE, detail="everything kept can be read")

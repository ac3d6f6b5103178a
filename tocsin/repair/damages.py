"""What is damaged in a data directory, and what can be done: for ``tocsin doctor``.

Nothing is ever deleted: what can't be read is set aside beside its place, and what can be read of
it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from collectors.errors import ConfigError, StorageError
from collectors.history.engine import HistoryEngine
from collectors.history.losses import attach_orphan, orphans
from collectors.host.disk import PRIVATE_DIRECTORY, PRIVATE_FILE, SYSTEM_DISK, close_to_strangers
from collectors.host.journal import encode_record, read_records
from collectors.host.setting_aside import MARK, set_aside, set_aside_before
from collectors.store.log.column_file import read_columns
from collectors.store.log.shape import recorded_step_ms
from runbooks.incidents.database import open_database, sqlite_file
from runbooks.incidents.salvage import damage_of
from tocsin.history import embedded_directory, open_history
from tocsin.settings import Settings

JOURNALS = ("metrics/log", "metrics/journal", "exemplars", "changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Something that is wrong.

    Attributes:
        place: File or directory.
        what: What is wrong, and what is lost by it.
        repair: What a repair does.
        mend: Does it and says what became of it; None: there is nothing to do.
    """

    place: Path
    what: str
    repair: str
    mend: Callable[[], str] | None = None


def damages(settings: Settings) -> Iterator[Damage]:
    """Yield what is damaged in the data directory of a server that does not run."""
    data = settings.data_dir
    yield from _shape(settings)
    for journal in JOURNALS:
        for segment in sorted((data / journal).glob("*.log")):
            yield from _segment(segment)
    for file in sorted((data / "metrics" / "checkpoint").glob("*.col")):
        yield from _column_file(file)
    yield from _incidents(settings)
    if settings.history == "embedded" and embedded_directory(settings).exists():
        yield from _history(settings)
    yield from _open_to_strangers(data)
    for aside in set_aside_before(data) if data.exists() else ():
        if MARK not in str(aside.parent):
            what = "was damaged and set aside at an earlier start"
            repair = "nothing: keep it if somebody may read more of it, else remove it"
            yield Damage(place=aside, what=what, repair=repair)


def _shape(settings: Settings) -> Iterator[Damage]:
    path = settings.data_dir / "metrics"
    try:
        step_ms = recorded_step_ms(path)
    except ConfigError as error:
        yield Damage(place=path, what=error.message, repair="nothing: use the newer version")
        return
    if step_ms is not None and step_ms != settings.step.ms:
        what = f"metrics have a step of {step_ms} ms, the settings say {settings.step}"
        repair = f"start with TOCSIN_STEP={step_ms}ms, or with another TOCSIN_DATA_DIR"
        yield Damage(place=path, what=what, repair=repair)


def _segment(path: Path) -> Iterator[Damage]:
    skipped: list[int] = []
    try:
        records = list(read_records(path, lambda _path, _at, size: skipped.append(size)))
    except OSError as error:
        yield Damage(place=path, what=f"can't be read: {error}", repair="nothing: see to the disk")
        return
    if not skipped:
        return

    def mend() -> str:
        aside = set_aside(path)
        data = b"".join(encode_record(kind, payload) for kind, payload, _ in records)
        SYSTEM_DISK.replace(path, data)
        return f"kept {len(records)} records; the damaged file is '{aside}'"

    yield Damage(
        place=path,
        what=f"{sum(skipped)} bytes are damaged: what was in them is lost",
        repair=f"keep the {len(records)} records that can be read, set the file aside",
        mend=mend,
    )


def _column_file(path: Path) -> Iterator[Damage]:
    try:
        read_columns(path)
    except StorageError as error:
        yield Damage(
            place=path,
            what=error.message,
            repair="nothing: the next start sets it aside and reads its copy, or goes on without",
        )


def _incidents(settings: Settings) -> Iterator[Damage]:
    url = settings.database_url or f"sqlite:///{(settings.data_dir / 'incidents.db').absolute()}"
    file = sqlite_file(make_url(url))
    reason = damage_of(file) if file is not None else ""
    if file is None or not reason:
        return

    def mend() -> str:
        open_database(url).dispose()
        return "what could be read is in a new database; the damaged one is beside it"

    yield Damage(
        place=file,
        what=f"the incident database is damaged: {reason}",
        repair="read what can be read into a new database, set the file aside",
        mend=mend,
    )


def _history(settings: Settings) -> Iterator[Damage]:
    directory = embedded_directory(settings)
    try:
        history = open_history(settings)
    except (StorageError, ConfigError) as error:
        repair = "nothing: a start sets it aside and begins another"
        yield Damage(place=directory, what=f"can't be opened: {error.message}", repair=repair)
        return
    if history is None:
        return
    try:
        for damaged in history.check():
            repair = "nothing: ClickHouse's own tools may read more of it"
            yield Damage(place=directory, what=damaged, repair=repair)
        for orphan in orphans(history.engine, directory):
            yield Damage(
                place=orphan,
                what="holds parts of a table whose definition is lost",
                repair="attach them to the table that has their columns",
                mend=_attaching(history.engine, directory, orphan),
            )
    finally:
        history.close()


def _attaching(engine: HistoryEngine, directory: Path, orphan: Path) -> Callable[[], str]:
    def mend() -> str:
        attached, refused = attach_orphan(engine, directory, orphan)
        return f"{attached} parts attached, {refused} can't be"

    return mend


def _open_to_strangers(data: Path) -> Iterator[Damage]:
    """Yield what others on the machine could read; the directory closed is all closed."""
    with suppress(OSError):
        if not data.exists() or not data.stat().st_mode & 0o077:
            return

        def mend() -> str:
            close_to_strangers(data, PRIVATE_DIRECTORY)
            for file in data.rglob("*"):
                close_to_strangers(file, PRIVATE_DIRECTORY if file.is_dir() else PRIVATE_FILE)
            return "closed"

        yield Damage(
            place=data,
            what="others on this machine can read incidents and telemetry in it",
            repair="let its owner alone read it",
            mend=mend,
        )

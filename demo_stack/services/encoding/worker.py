"""A worker of the encoding queue: one job after the other, and what each of them came to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from demo_stack.chassis.errors import PlatformError
from demo_stack.services.encoding.asset import Asset
from demo_stack.services.encoding.encoder import encode_title
from demo_stack.services.encoding.ffmpeg import EncodeError, Tool
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue import Job, LostLeaseError
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import (
    MEDIA_LADDER,
    Rung,
    Source,
    content_key,
    source_key,
)
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.licences.vault import KeyVault


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a worker works with.

    Attributes:
        shelf: Where encodes are kept.
        queue: What is to be done.
        tool: Runs ffmpeg.
        instruments: What it reports with.
        ladder: The renditions of every title.
        vault: Has the keys that titles are encrypted with.
        now_ms: The present, in epoch milliseconds.
    """

    shelf: Shelf
    queue: QueueFile
    tool: Tool
    instruments: EncodingInstruments
    ladder: Sequence[Rung] = MEDIA_LADDER
    vault: KeyVault = field(default_factory=lambda: KeyVault(1))
    now_ms: Callable[[], int] = _now_ms


class Worker:
    """Takes jobs and does them.

    Args:
        name: Its own, unlike any other worker's.
        place: What it works with.
    """

    def __init__(self, name: str, place: Workplace) -> None:
        self._name = name
        self._place = place

    def plan(self, sources: Sequence[Source]) -> int:
        """Put what is not encoded yet into the queue, publish the rest; return how much is new."""
        place, fresh = self._place, 0
        with place.queue.changing() as queue:
            for source in sources:
                content = content_key(source, place.ladder, place.tool.version)
                if place.shelf.has(content):
                    place.shelf.publish(source_key(source, place.ladder), content)
                else:
                    fresh += queue.put(content, asdict(source))
        return fresh

    def work_one(self) -> Job | None:
        """Do the next job, well or not; return it, ``None`` if there was none."""
        place = self._place
        with place.queue.changing() as queue:
            job = queue.lease(self._name, place.now_ms())
        if job is None:
            return None
        try:
            with place.instruments.job(job):
                self._encode(job)
        except LostLeaseError:
            return job  # somebody else does it now
        except (PlatformError, OSError) as error:
            self._give_back(job, error)
        return job

    def _encode(self, job: Job) -> None:
        place = self._place
        source = _source_of(job)
        key = place.vault.key_of(source.title)
        if key.kid.hex() != source.kid:
            raise EncodeError(f"{source.title!r} is to be encrypted with a key that is not ours")
        with place.shelf.draft() as draft:
            asset: Asset = encode_title(
                source,
                place.instruments.watched(place.tool),
                draft,
                key=key,
                ladder=place.ladder,
                progress=lambda _name: self._renew(job),
            )
            place.shelf.keep(job.id, draft, asset)
        place.shelf.publish(source_key(source, place.ladder), job.id)
        place.instruments.gates(asset)
        with place.queue.changing() as queue:
            queue.complete(job.id, self._name, place.now_ms())

    def _renew(self, job: Job) -> None:
        with self._place.queue.changing() as queue:
            queue.renew(job.id, self._name, self._place.now_ms())

    def _give_back(self, job: Job, error: Exception) -> None:
        try:
            with self._place.queue.changing() as queue:
                queue.fail(job.id, self._name, str(error), self._place.now_ms())
        except LostLeaseError:
            return


def _source_of(job: Job) -> Source:
    try:
        return Source(**job.payload)
    except TypeError as error:
        raise EncodeError(f"job {job.id!r} is no source: {error}") from error

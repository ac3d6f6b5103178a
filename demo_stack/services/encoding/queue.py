"""The work queue: leases that run out, tries that are counted, poison that is put aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from demo_stack.chassis.errors import PlatformError

LEASE_MS = 600_000
"""How long a worker may be silent before its job is given to somebody else."""

TRIES = 3
PAUSE_MS = 2_000
"""Pause before the second try; it doubles with every further one."""

ERROR_LENGTH = 500


class LostLeaseError(PlatformError):
    """A worker speaks of a job that is no longer its own."""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do.

    Attributes:
        id: Names it; a second job of the same name is the same job.
        payload: What to do, for the worker to understand.
        state: Where it stands.
        attempts: Tries begun.
        worker: Who has it, while it is leased.
        until_ms: End of the lease, or of the pause before the next try, in epoch milliseconds.
        error: Why the last try failed.
    """

    id: str
    payload: Mapping[str, Any]
    state: JobState = JobState.WAITING
    attempts: int = 0
    worker: str = ""
    until_ms: int = 0
    error: str = ""


class WorkQueue:
    """Jobs in the order in which they came. Knows no clock: everybody brings the time.

    Args:
        jobs: What is there already.
        tries: A job that failed so often is parked.
        lease_ms: Length of a lease, in milliseconds.
    """

    def __init__(
        self, jobs: Iterable[Job] = (), *, tries: int = TRIES, lease_ms: int = LEASE_MS
    ) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._tries = tries
        self._lease_ms = lease_ms

    def jobs(self) -> list[Job]:
        """Return every job, the oldest first."""
        return list(self._jobs.values())

    def put(self, job_id: str, payload: Mapping[str, Any]) -> bool:
        """Add a job; return whether it is new. One that is done is done again."""
        known = self._jobs.get(job_id)
        if known is not None and known.state is not JobState.DONE:
            return False
        self._jobs.pop(job_id, None)
        self._jobs[job_id] = Job(id=job_id, payload=payload)
        return True

    def lease(self, worker: str, now_ms: int) -> Job | None:
        """Give the next job to a worker; ``None`` if there is none now."""
        self._reclaim(now_ms)
        for job in self._jobs.values():
            if job.state is JobState.WAITING and job.until_ms <= now_ms:
                return self._set(
                    replace(
                        job,
                        state=JobState.LEASED,
                        attempts=job.attempts + 1,
                        worker=worker,
                        until_ms=now_ms + self._lease_ms,
                    )
                )
        return None

    def renew(self, job_id: str, worker: str, now_ms: int) -> None:
        """Lengthen a lease, for work that takes longer.

        Raises:
            LostLeaseError: Somebody else has the job by now, or will.
        """
        job = self._held(job_id, worker, now_ms)
        self._set(replace(job, until_ms=now_ms + self._lease_ms))

    def complete(self, job_id: str, worker: str, now_ms: int) -> None:
        """Note that a job is done.

        Raises:
            LostLeaseError: Somebody else has the job by now, or will.
        """
        job = self._held(job_id, worker, now_ms)
        self._set(replace(job, state=JobState.DONE, worker="", until_ms=0, error=""))

    def fail(self, job_id: str, worker: str, error: str, now_ms: int) -> Job:
        """Note that a try failed: another follows after a pause, or the job is parked.

        Raises:
            LostLeaseError: Somebody else has the job by now, or will.
        """
        return self._failed(self._held(job_id, worker, now_ms), error, now_ms)

    def release(self, gone: Callable[[str], bool], now_ms: int) -> int:
        """Take back what workers hold that are gone, which counts as a failed try.

        Args:
            gone: Whether the worker of this name is known to be gone.
            now_ms: The present, in epoch milliseconds.

        Returns:
            How many jobs that were.
        """
        held = [job for job in self._jobs.values() if job.state is JobState.LEASED]
        lost = [job for job in held if gone(job.worker)]
        for job in lost:
            self._failed(job, f"{job.worker} is gone", now_ms)
        return len(lost)

    def retry_parked(self) -> int:
        """Let everything parked be tried again, as after a repair; return how much it was."""
        parked = [job for job in self._jobs.values() if job.state is JobState.PARKED]
        for job in parked:
            self._set(replace(job, state=JobState.WAITING, attempts=0, until_ms=0))
        return len(parked)

    def depth(self) -> dict[JobState, int]:
        """Return the number of jobs in every state."""
        counts = Counter(job.state for job in self._jobs.values())
        return {state: counts[state] for state in JobState}

    def busy(self) -> bool:
        """Return whether anything is still to be done, by anybody."""
        return any(job.state in {JobState.WAITING, JobState.LEASED} for job in self._jobs.values())

    def dump(self) -> list[dict[str, Any]]:
        """Return every job as JSON holds it."""
        return [asdict(job) for job in self._jobs.values()]

    @staticmethod
    def load(rows: Iterable[Mapping[str, Any]]) -> WorkQueue:
        """Return what :meth:`dump` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            return WorkQueue(Job(**{**row, "state": JobState(row["state"])}) for row in rows)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a queue: {error}") from error

    def _held(self, job_id: str, worker: str, now_ms: int) -> Job:
        self._reclaim(now_ms)
        job = self._jobs.get(job_id)
        if job is None or job.state is not JobState.LEASED or job.worker != worker:
            raise LostLeaseError(f"job {job_id!r} is not leased to {worker!r}: work on it ends")
        return job

    def _reclaim(self, now_ms: int) -> None:
        """Take back what silent workers hold: a job that kills its worker is poison, too."""
        for job in list(self._jobs.values()):
            if job.state is JobState.LEASED and job.until_ms <= now_ms:
                self._failed(job, f"the lease of {job.worker} ran out", now_ms)

    def _failed(self, job: Job, error: str, now_ms: int) -> Job:
        parked = job.attempts >= self._tries
        return self._set(
            replace(
                job,
                state=JobState.PARKED if parked else JobState.WAITING,
                worker="",
                until_ms=0 if parked else now_ms + PAUSE_MS * 2 ** (job.attempts - 1),
                error=error[:ERROR_LENGTH],
            )
        )

    def _set(self, job: Job) -> Job:
        self._jobs[job.id] = job
        return job

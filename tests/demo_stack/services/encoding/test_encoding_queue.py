"""The work queue: leases, tries, poison, and that nothing is done twice or lost."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_stack.services.encoding.queue import (
    LEASE_MS,
    PAUSE_MS,
    TRIES,
    Job,
    JobState,
    LostLeaseError,
    WorkQueue,
)
from demo_stack.services.encoding.queue_file import QueueFile


def _queue(*names: str) -> WorkQueue:
    queue = WorkQueue()
    for name in names:
        queue.put(name, {"title": name})
    return queue


def _leased(queue: WorkQueue, worker: str, now_ms: int) -> Job:
    job = queue.lease(worker, now_ms)
    assert job is not None
    return job


def test_jobs_are_leased_once_in_order_and_end_done() -> None:
    """Two workers at one job encode it twice."""
    queue = _queue("a", "b")
    first, second = _leased(queue, "w1", 0), _leased(queue, "w2", 0)
    assert (first.id, second.id, queue.lease("w3", 0)) == ("a", "b", None)
    queue.complete("a", "w1", 10)
    assert queue.depth() == {
        JobState.WAITING: 0, JobState.LEASED: 1, JobState.DONE: 1, JobState.PARKED: 0,
    }  # fmt: skip
    assert queue.busy()
    queue.complete("b", "w2", 10)
    assert not queue.busy()


def test_a_job_is_put_once_unless_it_is_done() -> None:
    """Planning again must not double what waits."""
    queue = _queue("a")
    assert not queue.put("a", {})
    queue.lease("w", 0)
    assert not queue.put("a", {})
    queue.complete("a", "w", 1)
    assert queue.put("a", {"again": True})
    assert _leased(queue, "w", 2).attempts == 1


def test_failures_pause_longer_each_time_then_the_job_is_parked_with_its_reason() -> None:
    """A poison job would keep the workers from all others."""
    queue, now = _queue("poison", "good"), 0
    for attempt in range(1, TRIES + 1):
        assert _leased(queue, "w", now).attempts == attempt
        job = queue.fail("poison", "w", f"broken {attempt}", now)
        if attempt < TRIES:
            assert job.until_ms - now == PAUSE_MS * 2 ** (attempt - 1)
            # While poison pauses, what is good goes on.
            if attempt == 1:
                assert _leased(queue, "w", now).id == "good"
                queue.complete("good", "w", now)
            assert queue.lease("w", job.until_ms - 1) is None
            now = job.until_ms
    assert (job.state, job.error) == (JobState.PARKED, f"broken {TRIES}")
    assert queue.lease("w", now + 10**9) is None
    assert queue.retry_parked() == 1
    assert _leased(queue, "w", now).attempts == 1


def test_a_lease_that_runs_out_counts_as_a_try_and_its_worker_has_no_say_any_more() -> None:
    """A worker from the past must not end another's job."""
    queue, now = _queue("a"), 0
    for _ in range(TRIES):
        assert queue.lease("crasher", now) is not None
        now += LEASE_MS + PAUSE_MS * 4
        for speak in (queue.complete, queue.renew, partial(queue.fail, error="x")):
            with pytest.raises(LostLeaseError, match="crasher"):
                speak("a", "crasher", now_ms=now)
        now += PAUSE_MS * 8
    (job,) = queue.jobs()
    assert (job.state, job.attempts) == (JobState.PARKED, TRIES)
    assert "ran out" in job.error


def test_what_a_worker_held_that_is_gone_is_tried_again_at_once_and_counts() -> None:
    """Jobs of a dead worker would wait for their lease to run out."""
    queue, now = _queue("a", "b"), 0
    queue.lease("alive", now)
    for attempt in range(1, TRIES + 1):
        assert _leased(queue, f"dead-{attempt}", now).id == "b"
        assert queue.release(lambda worker: worker.startswith("dead"), now) == 1
        now += PAUSE_MS * 8
    assert [job.state for job in queue.jobs()] == [JobState.LEASED, JobState.PARKED]


def test_renewing_keeps_a_long_job() -> None:
    """A long encode would be given to a second worker midway."""
    queue = _queue("a")
    queue.lease("w", 0)
    for now in range(LEASE_MS // 2, LEASE_MS * 5, LEASE_MS // 2):
        queue.renew("a", "w", now)
        assert queue.lease("thief", now) is None
    queue.complete("a", "w", LEASE_MS * 5)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("lcfr"), st.integers(0, 3), st.integers(0, 300_000))))
def test_whatever_happens_no_job_is_lost_and_no_two_workers_hold_one(
    steps: list[tuple[str, int, int]],
) -> None:
    """Any order of events must keep the queue's two promises."""
    queue, now = _queue("a", "b"), 0
    for action, who, later in steps:
        now, worker = now + later, f"w{who}"
        held = [one for one in queue.jobs() if one.worker == worker]
        if action == "l":
            queue.lease(worker, now)
        for job in held:
            call = {"c": queue.complete, "r": queue.renew}.get(action)
            try:
                if call:
                    call(job.id, worker, now)
                elif action == "f":
                    queue.fail(job.id, worker, "x", now)
            except LostLeaseError:
                assert job.until_ms <= now
        assert sum(queue.depth().values()) == 2
        assert all(job.attempts <= TRIES for job in queue.jobs())
        assert all((job.state is JobState.LEASED) == bool(job.worker) for job in queue.jobs())
        assert WorkQueue.load(queue.dump()).dump() == queue.dump()


@pytest.mark.parametrize("rows", [[{}], [{"id": "a", "payload": {}, "state": "odd"}], [{"id": 1}]])
def test_what_is_no_queue_is_refused(rows: list[dict[str, object]] | list[dict[str, int]]) -> None:
    """A damaged file must not be read as an empty queue with odd jobs."""
    with pytest.raises(ValueError, match=r"not a queue|not a valid"):
        WorkQueue.load(rows)


def _die_while_changing(file: QueueFile) -> None:
    with suppress(RuntimeError), file.changing() as queue:
        queue.put("b", {})
        raise RuntimeError("died half-way")


def test_a_file_survives_its_process_damage_and_failed_changes(tmp_path: Path) -> None:
    """A crash while it is written must not lose the queue."""
    file = QueueFile(tmp_path / "deep" / "queue.json")
    with file.changing() as queue:
        queue.put("a", {"n": 1})
    _die_while_changing(file)
    assert file.peek().jobs() == [Job(id="a", payload={"n": 1})]
    (tmp_path / "deep" / "queue.json").write_text("[{")
    assert file.peek().jobs() == []
    with file.changing() as queue:
        assert queue.put("a", {})


def test_workers_that_share_a_file_never_share_a_job(tmp_path: Path) -> None:
    """Processes that read and write at once must not both get a job."""
    file = QueueFile(tmp_path / "queue.json")
    with file.changing() as queue:
        for number in range(40):
            queue.put(str(number), {})
    done: list[str] = []

    def work(name: str) -> None:
        while True:
            with file.changing() as queue:
                job = queue.lease(name, 0)
            if job is None:
                return
            done.append(job.id)
            with file.changing() as queue:
                queue.complete(job.id, name, 1)

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(done, key=int) == [str(number) for number in range(40)]
    assert not file.peek().busy()

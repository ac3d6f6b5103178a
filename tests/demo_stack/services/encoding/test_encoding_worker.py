"""From a title to its segments: gates, cache, poison, and what is reported of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from demo_stack.in_memory.readings import points, tags
from demo_stack.services.encoding.asset import Asset
from demo_stack.services.encoding.boxes import read_boxes
from demo_stack.services.encoding.quality import Verdict, judge
from demo_stack.services.encoding.queue import JobState
from demo_stack.services.encoding.recipe import (
    MEDIA_LADDER,
    Codec,
    Source,
    content_key,
    source_key,
    synthetic_source,
)
from demo_stack.services.encoding.shelf import ABANDONED_S, CACHE_VARIABLE, Shelf, cache_directory
from demo_stack.services.encoding.worker import Worker

if TYPE_CHECKING:
    from tests.demo_stack.services.encoding.conftest import Bench


def _source(title: str, graph: str) -> Source:
    return replace(synthetic_source(title, 1, seconds=4), graph=graph)


GOOD = _source("t01", "good")
POISON = _source("t02", "nonsense=1")


def _kinds(segment: bytes) -> list[bytes]:
    return [box.kind for box in read_boxes(segment)]


def _played(bench: Bench, source: Source) -> tuple[str, Asset]:
    found = bench.place.shelf.published(source_key(source, bench.place.ladder))
    assert found is not None
    return found


def _gates(bench: Bench) -> dict[str, int]:
    found = points([bench.pipe], "encoding.gate.failures")
    return {attributes["outcome"]: int(value) for attributes, value in found}


def test_a_title_is_encoded_published_and_never_again(bench: Callable[..., Bench]) -> None:
    """Work that is done must be found and not done again."""
    b = bench()
    worker = Worker("w", b.place)
    assert worker.plan([GOOD]) == 1
    assert worker.work_one() is not None
    content, asset = _played(b, GOOD)
    assert [one.name for one in asset.representations] == ["h264-36p", "vp9-36p"]
    assert asset.missing == (Codec.AV1,)
    assert asset.segments == 2
    assert asset.sound is not None
    assert (asset.sound.name, asset.sound.codecs) == ("aac-48k", "mp4a.40.2")
    for name in ("vp9-36p", "aac-48k"):
        assert _kinds(b.place.shelf.segment(content, asset, name, "1") or b"") == [b"moof", b"mdat"]
    runs = len(b.tool.runs)
    assert worker.plan([GOOD]) == 0
    assert worker.work_one() is None
    assert len(b.tool.runs) == runs


def test_without_an_encoder_for_sound_a_title_is_silent(bench: Callable[..., Bench]) -> None:
    """A missing sound encoder must not cost the picture."""
    b = bench(has_sound=False)
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    assert _played(b, GOOD)[1].sound is None


def test_a_title_of_another_platform_is_not_encrypted_with_a_key_of_ours(
    bench: Callable[..., Bench],
) -> None:
    """A title under the wrong key plays nowhere."""
    b = bench()
    worker = Worker("w", b.place)
    worker.plan([synthetic_source("t01", seed=2)])
    worker.work_one()
    (job,) = b.place.queue.peek().jobs()
    assert "a key that is not ours" in job.error
    assert b.tool.runs == []


def test_another_encoder_version_encodes_again_and_the_new_one_is_played(
    bench: Callable[..., Bench],
) -> None:
    """Old encodes would be played for ever after an upgrade."""
    b = bench()
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    before, _ = _played(b, GOOD)
    b.tool.version = "ffmpeg version fake 2"
    assert worker.plan([GOOD]) == 1
    worker.work_one()
    after, asset = _played(b, GOOD)
    assert after != before
    assert asset.encoder == "ffmpeg version fake 2"


@pytest.mark.parametrize(
    ("needs_kbps", "attempts", "dropped", "gates"),
    [
        (0, [1, 1], [], {}),
        (15, [1, 2], [], {"retried": 1}),
        (20, [1], ["vp9-36p"], {"dropped": 1}),
    ],
)
def test_a_rendition_below_the_gate_gets_more_bits_or_is_dropped(
    bench: Callable[..., Bench],
    needs_kbps: int,
    attempts: list[int],
    dropped: list[str],
    gates: dict[str, int],
) -> None:
    """Bad pictures must not reach viewers."""
    b = bench(needs_kbps=needs_kbps)
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    content, asset = _played(b, GOOD)
    assert [one.attempts for one in asset.representations] == attempts
    assert [one.name for one in asset.dropped] == dropped
    assert _gates(b) == gates
    for name in dropped:
        assert b.place.shelf.segment(content, asset, name, "init") is None


def test_a_title_without_any_rendition_left_is_a_failure(bench: Callable[..., Bench]) -> None:
    """An empty title must not be published as encoded."""
    b = bench(needs_kbps=10_000)
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    (job,) = b.place.queue.peek().jobs()
    assert job.state is JobState.WAITING
    assert "no rendition of 't01' is left" in job.error


def test_poison_is_parked_while_everything_else_is_encoded(bench: Callable[..., Bench]) -> None:
    """One bad title must not stop the others."""
    b = bench()
    worker = Worker("w", b.place)
    worker.plan([POISON, GOOD])
    while b.place.queue.peek().busy():
        worker.work_one()
        b.now_ms[0] += 1_000
    states = {job.payload["title"]: job.state for job in b.place.queue.peek().jobs()}
    assert states == {"t01": JobState.DONE, "t02": JobState.PARKED}
    assert _played(b, GOOD)
    assert b.place.shelf.published(source_key(POISON, b.place.ladder)) is None
    spans = b.exported.get_finished_spans()
    failed = [one for one in spans if one.status.status_code is StatusCode.ERROR]
    jobs = [one for one in failed if one.kind is SpanKind.CONSUMER]
    runs = [one for one in failed if one.kind is SpanKind.CLIENT]
    assert (len(jobs), len(runs)) == (3, 3)
    assert {tags(one)["error.type"] for one in failed} == {"EncodeError"}
    assert not list((b.place.shelf.root / "drafts").iterdir())


def test_a_job_that_is_no_source_is_parked_too(bench: Callable[..., Bench]) -> None:
    """A job that nobody understands must not be tried for ever."""
    b = bench()
    with b.place.queue.changing() as queue:
        queue.put("x", {"nonsense": 1})
    Worker("w", b.place).work_one()
    assert "is no source" in b.place.queue.peek().jobs()[0].error


def test_the_keys_change_with_everything_that_matters() -> None:
    """A cache key that misses something plays the wrong encode."""
    source = synthetic_source("t01", 1)
    assert source == synthetic_source("t01", 1)
    keys = {
        content_key(source, MEDIA_LADDER, "a"),
        content_key(source, MEDIA_LADDER, "b"),
        content_key(source, MEDIA_LADDER[:1], "a"),
        content_key(synthetic_source("t01", 2), MEDIA_LADDER, "a"),
        content_key(synthetic_source("t02", 1), MEDIA_LADDER, "a"),
        content_key(synthetic_source("t01", 1, seconds=8), MEDIA_LADDER, "a"),
    }
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("rendition", "number"),
    [
        ("../../published", "x"), ("h264-36p", "../asset.json"), ("h264-36p", "2"),
        ("h264-36p", "-1"), ("h264-36p", "١"), ("h264-36p", ""), ("av1-36p", "0"),
    ],
)  # fmt: skip
def test_nothing_but_segments_leaves_the_shelf(
    bench: Callable[..., Bench], rendition: str, number: str
) -> None:
    """A path in a request must not read files beside the shelf."""
    b = bench()
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    content, asset = _played(b, GOOD)
    assert b.place.shelf.segment(content, asset, rendition, number) is None
    assert (b.place.shelf.segment(content, asset, "h264-36p", "01") or b"").endswith(b"2.m4s")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"title": 1}', b"[]"])
def test_a_damaged_encode_counts_as_none(bench: Callable[..., Bench], damage: bytes) -> None:
    """A half-written encode must be made again and never played."""
    b = bench()
    worker = Worker("w", b.place)
    worker.plan([GOOD])
    worker.work_one()
    content, _ = _played(b, GOOD)
    (b.place.shelf.root / "encodes" / content / "asset.json").write_bytes(damage)
    assert b.place.shelf.published(source_key(GOOD, b.place.ladder)) is None


def test_a_second_worker_with_the_same_result_yields_and_old_drafts_go(tmp_path: Path) -> None:
    """Drafts of crashed workers would fill the disk."""
    shelf = Shelf(tmp_path)
    asset = Asset(
        title="t", encoder="e", seconds=2, segment_s=2, segments=1, frame_rate=24,
        representations=(),
    )  # fmt: skip
    for _ in range(2):
        with shelf.draft() as draft:
            shelf.keep("c", draft, asset)
        assert not draft.exists()
    assert shelf.has("c")
    old, young = tmp_path / "drafts" / "old", tmp_path / "drafts" / "young"
    for folder in (old, young):
        folder.mkdir()
    long_ago = time.time() - ABANDONED_S - 1
    os.utime(old, (long_ago, long_ago))
    shelf.sweep()
    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize(
    ("ssim", "attempt", "verdict"),
    [
        (1.0, 1, Verdict.ACCEPTED), (0.8, 1, Verdict.RETRY), (0.8, 2, Verdict.DROPPED),
        (float("nan"), 1, Verdict.RETRY), (float("nan"), 2, Verdict.DROPPED),
        (float("inf"), 1, Verdict.ACCEPTED),
    ],
)  # fmt: skip
def test_the_gate(ssim: float, attempt: int, verdict: Verdict) -> None:
    """The verdict on a rendition must follow its measured likeness."""
    assert judge(ssim, attempt) is verdict


def test_the_cache_survives_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Encodes would be made again in each run."""
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory(tmp_path / "run") == tmp_path / "media-cache"
    assert cache_directory().parts[-2:] == (".cache", "demo-stack")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory(tmp_path / "run") == tmp_path / "xdg" / "demo-stack"
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "named"))
    assert cache_directory(tmp_path / "run") == tmp_path / "named"

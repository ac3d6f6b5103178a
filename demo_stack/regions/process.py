"""The process that holds one region."""

from __future__ import annotations

from demo_stack.chassis.lifeline import announce, settle, until_told_to_stop
from demo_stack.chassis.network import SocketNetwork
from demo_stack.chassis.telemetry import otlp_pipe
from demo_stack.regions.control import region_control
from demo_stack.regions.region import Region
from demo_stack.regions.spec import RegionSpec


async def run_region(spec: RegionSpec) -> None:
    """Start the region, say where it can be reached, and stop it when told to."""
    network = SocketNetwork()
    pipe = otlp_pipe(spec.otlp_endpoint)
    region = Region(spec, network, pipe)
    await region.open()
    control = await network.listen(region_control(region, pipe))
    settle()
    announce({"services": region.addresses, "control": control, "registry": region.registry_url})
    await until_told_to_stop()
    await region.close()
    await network.close()
    pipe.close()

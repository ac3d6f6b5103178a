"""A stream job: the rebuffer ratio of every device, in windows of what players report."""

from __future__ import annotations

from demo_stack.chassis.context import ServiceContext
from demo_stack.eventlog.broker import Broker
from demo_stack.eventlog.log import Record
from demo_stack.eventlog.topics import REPORTS
from demo_stack.eventlog.traced import Subscription, TracedConsumer, TracedProducer
from demo_stack.eventlog.windows import TumblingRatios
from demo_stack.world.layout import Device

GROUP = "quality"
WORK_EVERY_S = 1.0


class RebufferRatio:
    """Time that players waited, over the time that they played or waited.

    The window's state is the region's: whichever instance reads an event, all of them report.
    """

    def __init__(self, context: ServiceContext, log: Broker, windows: TumblingRatios) -> None:
        self._windows = windows
        who = Subscription(group=GROUP, topic=REPORTS, member=context.identity.instance)
        self._reports = TracedProducer(log, REPORTS, context.telemetry)
        self._consumer = TracedConsumer(log, who, context.telemetry, self._take)
        self._gauge = context.telemetry.meter.create_gauge(
            "stream.rebuffer.ratio",
            unit="1",
            description="Waiting over playing and waiting, in the last window of reports.",
        )
        context.chores.every(WORK_EVERY_S, self.work)
        context.chores.at_end(self._consumer.leave)
        self._say()

    async def report(self, viewer: str, device: str, played_s: float, stalled_s: float) -> None:
        """Write what a player says into the log."""
        said = {"device": device, "played_s": played_s, "stalled_s": stalled_s}
        await self._reports.send(viewer, said)

    async def work(self) -> None:
        """Read what has arrived, and report the windows that are over."""
        await self._consumer.work()
        await self._consumer.measure()
        self._windows.close()
        self._say()

    def _take(self, record: Record) -> None:
        device = record.value.get("device")
        played, stalled = record.value.get("played_s"), record.value.get("stalled_s")
        if device not in set(Device):
            return  # whatever it is, it is no report of a player that we know
        if isinstance(played, int | float) and isinstance(stalled, int | float):
            self._windows.add(str(device), record.time_ms, part=stalled, whole=played + stalled)

    def _say(self) -> None:
        for device in Device:
            self._gauge.set(self._windows.latest.get(device.value, 0.0), {"device": device.value})

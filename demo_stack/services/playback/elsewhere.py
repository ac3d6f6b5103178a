"""What the accounts of a region play in other regions, for plans limit all of it together.

Told and learnt once a second, through the register beside the ledger, by whichever instance comes
first. Two starts within that second in two regions may exceed a plan; while the register is away
only the region's own streams count, for nobody pays for our outage.
"""

from __future__ import annotations

from demo_stack.chassis.client import Call
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import DependencyError
from demo_stack.services.playback.streams import Away, StreamTable
from demo_stack.world.layout import Service

SYNC_S = 1.0
TIMEOUT_S = 2.0
AT_ONCE = 1_000


class Elsewhere:
    """Keeps a region's table of streams in step with the others'."""

    def __init__(self, context: ServiceContext, streams: StreamTable) -> None:
        self._context = context
        self._streams = streams

    async def work(self) -> None:
        """Tell what is new here; learn what plays elsewhere.

        Raises:
            DependencyError: The register is away; what was to be told is told next time.
        """
        if not self._streams.turn_to_tell(SYNC_S / 2):
            return
        news = self._streams.news(AT_ONCE)
        body = {
            "region": self._context.identity.region,
            "heard": [
                {"session": one.session, "account": one.account, "device": one.device, "age_s": age}
                for one, age in news.heard
            ],
            "ended": news.ended,
        }
        call = Call(
            service=Service.BILLING, method="POST", route="/streams", json=body, timeout_s=TIMEOUT_S
        )
        try:
            answer = await self._context.client.json(call)
        except DependencyError:
            self._streams.untold(news)
            raise
        self._streams.learn(Away(**one) for one in answer["streams"])

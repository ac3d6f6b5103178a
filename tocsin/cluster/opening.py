"""Joining the cluster that the settings ask for, and what of the server goes by it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from starlette.types import ASGIApp

from collectors.clock import Clock
from collectors.cluster.members import Node
from collectors.errors import ConfigError
from collectors.history.engine import HistoryEngine
from collectors.host.machine import Machine
from runbooks.desk.desk import IncidentDesk
from tocsin.cli import package_version
from tocsin.cluster.agreement.agreement import Agreement
from tocsin.cluster.agreement.lease import LEAD
from tocsin.cluster.agreement.registry import Registry
from tocsin.cluster.leading.turn import Led, Turn
from tocsin.cluster.leading.voice import Word, speaks
from tocsin.cluster.mirror.pair import OTLP_PATHS, PairDoors, pair_doors
from tocsin.cluster.place import Place, place_of
from tocsin.cluster.shards.opening import Joining
from tocsin.settings import Settings, Shape

WORD_PATH = "/api/v2/cluster/word"
_ASK_TIMEOUT_S = 1.0


class Cluster:
    """This node's part in a cluster.

    Args:
        place: What the settings say.
        agreement: What the nodes agree on.
        doors: What stands before receivers; None: nothing is copied.
        verify: What verifies the others' certificates; None: what the machine trusts.
    """

    def __init__(
        self,
        place: Place,
        agreement: Agreement,
        doors: PairDoors | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.place = place
        self.agreement = agreement
        self.doors = doors
        self._verify = verify
        self._heard: Word | None = None
        agreement.unreached = self._ask_others

    def lead(self, desk: IncidentDesk) -> Turn:
        """Have the desk deliver while this node leads; return when its engine's findings count.

        In a pair both engines find the same, so only one's go to the desk; of shards one judges
        for all.
        """
        desk.ledger.sharing.tenure = self.agreement.terms[LEAD]
        desk.outbox.fence = self.agreement.fence()
        self.agreement.start()
        return Led(desk, desk.waiting, self.speaks, self.agreement.judged)

    def joining(self) -> Joining | None:
        """Return what it takes to be one of several shards; None in a pair."""
        if self.place.shape is not Shape.SHARDS:
            return None
        return Joining(
            membership=self.agreement,
            token=self.place.token,
            leads=self.speaks,
            verify=self._verify,
        )

    def divide(self, history: HistoryEngine) -> None:
        """Have one of those who share a history append what all have, and tidy up.

        Shards have spans and log records of their own, so that each appends.
        """
        history.tidies = self.speaks
        if self.place.shape is Shape.PAIR:
            history.leads = self.speaks

    def before_receivers(self, app: ASGIApp, paths: Collection[str] = OTLP_PATHS) -> ASGIApp:
        """Return what stands before receivers at ``paths``."""
        return app if self.doors is None else self.doors.before(app, paths)

    def before_api(self, app: ASGIApp) -> ASGIApp:
        """Return what stands before the whole API."""
        return app if self.doors is None else self.doors.outermost(app)

    def speaks(self) -> bool:
        """Whether this node passes its findings on."""
        own = self.word()
        return speaks(own, None if own.leads or own.agrees else self._heard)

    def word(self) -> Word:
        """Return what this node says of itself."""
        agreement = self.agreement
        return Word(
            node=agreement.me,
            leads=agreement.terms[LEAD].holds(),
            agrees=not agreement.failing_for(self.place.lease_ms / 1_000),
            last_holder=agreement.lease().holder,
        )

    def _ask_others(self) -> None:
        """Ask the others directly, while the database can't tell of them."""
        words = [word for known in self.agreement.others() if (word := self._ask(known.node))]
        last = self.agreement.lease().holder
        # Whom all must give way to first: who leads or will, then who led last.
        words.sort(key=lambda one: (not (one.leads or one.agrees), one.node != last, one.node))
        self._heard = words[0] if words else None

    def _ask(self, node: Node) -> Word | None:
        headers = {"Authorization": self.place.authorization}
        try:
            answer = httpx2.get(
                node.url + WORD_PATH,
                headers=headers,
                timeout=_ASK_TIMEOUT_S,
                trust_env=False,
                verify=self._verify or True,
            )
            told = answer.raise_for_status().json()
            return Word(
                node=str(told["node"]),
                leads=bool(told["leads"]),
                agrees=bool(told["agrees"]),
                last_holder=str(told["last_holder"]),
            )
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            return None


@asynccontextmanager
async def clustered(
    settings: Settings, api_url: str, machine: Machine, clock: Clock
) -> AsyncIterator[Cluster | None]:
    """Join the cluster that the settings ask for, to leave it at the end; None: there is none.

    Args:
        settings: All settings.
        api_url: Where this node listens.
        machine: What the process runs on.
        clock: The present.

    Raises:
        ConfigError: What a cluster needs is not set, or a pair has two other nodes already.
        StorageError: The database can't be reached, or what is owed can't be read.
    """
    place = place_of(settings)
    if place is None:
        yield None
        return
    node = Node(name=place.node, url=place.url or api_url, version=package_version())
    registry = Registry(place.database_url, node, place.lease_ms)
    agreement = await asyncio.to_thread(Agreement, registry)
    ca = str(settings.api_ca) if settings.api_ca else None
    certificates = ssl.create_default_context(cafile=ca) if ca else None
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, agreement.close)
        doors = None
        if place.shape is Shape.PAIR:
            _check_pair(agreement)
            home = settings.data_dir / "copies"
            entered = pair_doors(place, agreement, home, machine, clock, certificates)
            doors = await stack.enter_async_context(entered)
        yield Cluster(place, agreement, doors, certificates)


def _check_pair(agreement: Agreement) -> None:
    others = [known.node.name for known in agreement.others()]
    if len(others) > 1:
        agreement.remove(agreement.me)
        raise ConfigError(
            f"cluster (TOCSIN_CLUSTER) = 'pair': {' and '.join(others)} are nodes already, and a "
            f"pair has two; `tocsin cluster remove {others[0]}` if that one will not come back"
        )

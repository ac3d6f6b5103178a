"""The streams of every account: how many there may be, and what their players say of them.

What is new in the table is kept until other regions have been told of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from demo_stack.chassis.errors import ServiceError

SILENT_S = 30.0
"""A stream whose player has said nothing for this long has ended, in seconds."""

MAX_STREAMS = 20_000


class TooManyStreamsError(ServiceError):
    """An account plays on as many devices as its plan allows already."""


class UnknownStreamError(ServiceError):
    """There is no such stream of this account, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a player says every now and then.

    Attributes:
        position_s: Where it plays, in seconds from the beginning.
        rebuffers: How often it has had to wait since it last said something.
        kbps: Bit rate of what it shows, in thousands a second.
    """

    position_s: float
    rebuffers: int = 0
    kbps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A title on a device.

    Attributes:
        session: Names it.
        account: Whose it is.
        device: On what.
        title: What.
        heard_s: When its player last said something, monotonic, in seconds.
        position_s: Where it was then.
        rebuffers: How often it has had to wait in all.
    """

    session: str
    account: str
    device: str
    title: str
    heard_s: float
    position_s: float = 0.0
    rebuffers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A stream in another region.

    Attributes:
        session: Names it.
        account: Whose it is.
        device: On what.
        age_s: How long ago its player said something, in seconds.
    """

    session: str
    account: str
    device: str
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What other regions have not been told yet.

    Attributes:
        heard: Streams that began or were heard of, and how many seconds ago.
        ended: Sessions that ended.
    """

    heard: list[tuple[Stream, float]]
    ended: list[str]


class StreamTable:
    """The streams of a region, and what it knows of those in others.

    Args:
        now_s: The present, monotonic, in seconds.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._by_account: OrderedDict[str, dict[str, Stream]] = OrderedDict()
        self._accounts: dict[str, str] = {}
        self.begun = 0
        self._untold: OrderedDict[str, Stream | None] = OrderedDict()
        self._told_s = -SILENT_S
        self._away: dict[str, dict[str, float]] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def open(self, session: str, account: str, device: str, title: str, limit: int) -> None:
        """Let a stream begin. What the same device played before has ended by that.

        Raises:
            TooManyStreamsError: The account has ``limit`` streams on other devices, in all regions
                together as far as is known here.
        """
        others = [one for one in self.active(account) if one.device != device]
        devices = {one.device for one in others} | (self.away(account) - {device})
        playing = max(len(others), len(devices))
        if playing >= limit:
            raise TooManyStreamsError(
                f"account {account!r} plays on {playing} devices; its plan allows {limit}",
                status=403,
                error_type="TooManyStreams",
            )
        stream = Stream(
            session=session, account=account, device=device, title=title, heard_s=self._now_s()
        )
        self._replace(account, [*others, stream])
        self._note(session, stream)
        self.begun += 1
        while len(self._accounts) > MAX_STREAMS:
            self._replace(next(iter(self._by_account)), [])

    def beat(self, session: str, account: str, beat: Beat) -> Stream:
        """Note what a player says; return the stream.

        Raises:
            UnknownStreamError: The account has no such stream.
        """
        stream = next((one for one in self.active(account) if one.session == session), None)
        if stream is None:
            raise UnknownStreamError(
                f"account {account!r} has no stream {session!r}; start it again", status=404
            )
        heard = replace(
            stream,
            heard_s=self._now_s(),
            position_s=beat.position_s,
            rebuffers=stream.rebuffers + beat.rebuffers,
        )
        self._by_account[account][session] = heard
        self._note(session, heard)
        return heard

    def close(self, session: str) -> None:
        """Let a stream end, if it has not already."""
        account = self._accounts.get(session)
        if account is not None:
            kept = [one for one in self._by_account[account].values() if one.session != session]
            self._replace(account, kept)
            self._note(session, None)

    def away(self, account: str) -> set[str]:
        """Return the devices that an account plays on in other regions."""
        now_s = self._now_s()
        known = self._away.get(account, {})
        return {device for device, heard_s in known.items() if now_s - heard_s <= SILENT_S}

    def turn_to_tell(self, pause_s: float) -> bool:
        """Return whether others are to be told now; whoever asks next waits for a pause."""
        now_s = self._now_s()
        due = now_s - self._told_s >= pause_s
        if due:
            self._told_s = now_s
        return due

    def news(self, limit: int) -> News:
        """Return what is new, the oldest first, which counts as told."""
        now_s = self._now_s()
        some = [self._untold.popitem(last=False) for _ in range(min(limit, len(self._untold)))]
        return News(
            heard=[(one, now_s - one.heard_s) for _, one in some if one is not None],
            ended=[session for session, one in some if one is None],
        )

    def untold(self, news: News) -> None:
        """Take back news that could not be told; what has become of a stream since counts."""
        for session, one in [(s.session, s) for s, _ in news.heard] + [
            (session, None) for session in news.ended
        ]:
            self._untold.setdefault(session, one)

    def learn(self, streams: Iterable[Away]) -> None:
        """Take over what other regions say; what was known of them before is forgotten."""
        now_s = self._now_s()
        self._away = {}
        for one in streams:
            devices = self._away.setdefault(one.account, {})
            devices[one.device] = max(devices.get(one.device, 0.0), now_s - one.age_s)

    def active(self, account: str) -> list[Stream]:
        """Return the streams of an account whose players were heard of lately."""
        now_s = self._now_s()
        known = self._by_account.get(account, {})
        return [one for one in known.values() if now_s - one.heard_s <= SILENT_S]

    def _note(self, session: str, stream: Stream | None) -> None:
        self._untold.pop(session, None)
        self._untold[session] = stream
        while len(self._untold) > MAX_STREAMS:
            self._untold.popitem(last=False)

    def _replace(self, account: str, streams: list[Stream]) -> None:
        for session in self._by_account.pop(account, {}):
            del self._accounts[session]
        if streams:
            self._by_account[account] = {one.session: one for one in streams}
            self._accounts.update((one.session, account) for one in streams)

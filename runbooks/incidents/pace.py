"""How many notes one person may write: more than people read would only hide the others'."""

from __future__ import annotations

from collections import OrderedDict, deque

from collectors.clock import Clock
from collectors.errors import TooManyError
from runbooks.incidents.commands import Command, Note
from runbooks.incidents.events import MACHINE

MAX_NOTES_A_MINUTE = 30
"""Notes of one person in a minute."""

MAX_WRITERS = 1_000
"""People whose notes are counted; the one who wrote the longest ago gives way."""

_MINUTE_MS = 60_000


class NotePace:
    """Counts notes by who wrote them.

    Args:
        clock: The present.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._written: OrderedDict[str, deque[int]] = OrderedDict()

    def check(self, command: Command) -> None:
        """Count ``command`` if it is a person's note.

        Raises:
            TooManyError: There were too many within the last minute.
        """
        if not isinstance(command, Note) or command.actor == MACHINE:
            return
        now_ms = self._clock.now_ms()
        written = self._written.setdefault(command.actor, deque(maxlen=MAX_NOTES_A_MINUTE))
        self._written.move_to_end(command.actor)
        if len(written) == MAX_NOTES_A_MINUTE and now_ms - written[0] < _MINUTE_MS:
            wait_s = -(-(_MINUTE_MS - (now_ms - written[0])) // 1000)
            raise TooManyError(
                f"{command.actor[:80]} wrote {MAX_NOTES_A_MINUTE} notes within a minute; "
                f"put more into one note, or wait {wait_s} s"
            )
        written.append(now_ms)
        while len(self._written) > MAX_WRITERS:
            self._written.popitem(last=False)

"""Everything of the status page, put together for whoever serves it."""

from __future__ import annotations

from pathlib import Path

from collectors.clock import Clock
from collectors.errors import ConfigError, TocsinError
from runbooks.desk.desk import IncidentDesk
from runbooks.status_page.calling import Caller, Mailer
from runbooks.status_page.document import StatusPageFile
from runbooks.status_page.letters import question_of
from runbooks.status_page.page import Reads, Slos, StatusPage
from runbooks.status_page.publisher import Publisher
from runbooks.status_page.store import StatusStore
from runbooks.status_page.subscribers import Kind, Subscriber, Subscribers


class StatusOffice:
    """The page, its publisher and its subscribers.

    Args:
        desk: Incidents, and the database.
        slos: Rows of all objectives.
        metrics: Evaluates components' queries.
        directory: Where the site is written.
        clock: The present.
        file: What ``status.yaml`` says; None: there is no page.
        public: Whether anybody may read the site.
        mailer: Hands mails in; None: nobody can subscribe by mail.
    """

    def __init__(
        self,
        desk: IncidentDesk,
        *,
        slos: Slos,
        metrics: Reads,
        directory: Path,
        clock: Clock,
        file: StatusPageFile | None = None,
        public: bool = False,
        mailer: Mailer | None = None,
    ) -> None:
        self.public = public
        self.subscribers = Subscribers(desk.engine)
        self.page = StatusPage(
            StatusStore(desk.engine),
            clock,
            slos=slos,
            metrics=metrics,
            incidents=desk.ledger.incidents,
            execute=desk.execute,
        )
        self.page.file = file
        self.caller = Caller(self.subscribers, mailer)
        self.publisher = Publisher(self.page, self.caller, directory, clock)

    @property
    def takes_letters(self) -> bool:
        """Whether people can subscribe by mail."""
        file = self.page.file
        return self.caller.mailer is not None and file is not None and bool(file.subscribe_url)

    def ask(self, address: str, *, actor: str) -> Subscriber:
        """Ask somebody by mail whether to tell them; nothing else is sent before they say yes.

        Raises:
            NotFoundError: There is no status page.
            ConfigError: Nobody can subscribe by mail here.
            InputError: It is no address.
            ConflictError: It was asked before, or too many are.
            TocsinError: The mail could not be handed in.
        """
        file, mailer = self.page.set_up, self.caller.mailer
        if mailer is None or not file.subscribe_url:
            raise ConfigError(
                "nobody can subscribe by mail: set up mail in notifiers.yaml and subscribe_url in "
                "status.yaml"
            )
        now_ms = self.page.now_ms()
        one = self.subscribers.add(Kind.LETTER, address, actor=actor, now_ms=now_ms)
        question = question_of(mailer.sender, one, file.title, file.subscribe_url, now_ms)
        try:
            mailer.hand_in(question.as_bytes(), [one.address])
        except TocsinError:
            self.subscribers.remove(one.id)  # so that it can be asked again
            raise
        return one

    def use(self, file: StatusPageFile | None) -> None:
        """Go on with another ``status.yaml``; what was published and counted stays."""
        self.page.file = file
        self.publisher.request()

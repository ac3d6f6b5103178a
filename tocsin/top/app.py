"""The living screen of ``tocsin top``, by Textual: looks again and again, and acts by keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static

from collectors.printable import printable
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.client.shapes import Incident
from tocsin.terminal.incident import described
from tocsin.top import screen
from tocsin.top.dialogs import Asking, Choosing, Reading, Writing
from tocsin.top.look import Look, first_look, look

_COLUMNS = ("id", "sev", "status", "for", "what")
_COLOURS = {"SEV1": "bold red", "SEV2": "red", "SEV3": "yellow", "SEV4": "blue", "SEV5": "dim"}
_ROLES = ("commander", "deputy", "scribe", "liaison")
_FRAME = 10
_WIDTHS = (9, 4, 13, 10)
_PARTS = [part for part in screen.PARTS if part.name != "incidents"]
_KEYS = """\
Keys

  up, down   choose an incident
  a          acknowledge it: the page stops escalating
  t          take a role in it: commander, deputy, scribe, liaison
  n          write a note into its timeline
  r          resolve it, after a question
  o, enter   read all that is known of it
  c          charts of what is measured
  f          look again at once
  ?          this
  q          leave

Everything is done in your name, and stands in the timeline. What is old says so:
"AWAY" in the first line means that the server can't be reached, and "!" before a
part that it could not be read; what was known before stays."""


class TopApp(App[None]):
    """Shows a server, and answers its incidents.

    Args:
        api: Reaches the server; asked in threads, never while something is drawn.
        actor: Who acts.
        interval_s: Seconds between two looks.
        chosen: Incident to begin with; empty: the newest that is open.
        now_ms: The present, epoch milliseconds.
    """

    TITLE = "tocsin top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    #head { height: 1; background: $panel; }
    #head.away { background: $error; color: $text; text-style: bold; }
    Screen { overflow: hidden; }
    #incidents { height: 1fr; min-height: 3; overflow-x: hidden; }
    .title { height: 1; color: $text-muted; text-style: bold; }
    .part { height: auto; text-wrap: nowrap; }
    #said { height: 1; color: $accent; }
    .quiet { color: $text-muted; }
    Writing, Asking, Reading { align: center middle; }
    #dialog { width: 70; height: auto; border: round $accent; background: $surface; padding: 0 1; }
    #reading { width: 96%; height: 90%; border: round $accent; background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "give('acknowledge')", "Ack"),
        Binding("t", "take", "Take"),
        Binding("n", "note", "Note"),
        Binding("r", "resolve", "Resolve"),
        Binding("o", "open", "Open"),
        Binding("c", "charts", "Charts"),
        Binding("f", "look", "Look"),
        Binding("question_mark", "keys", "Keys", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        api: ApiClient,
        *,
        actor: str,
        interval_s: float = 5.0,
        chosen: str = "",
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        super().__init__()
        self._api, self._actor, self._interval_s = api, actor, interval_s
        self._now_ms = now_ms
        self._chosen = chosen
        self._looking = self._again = self._drawn = False
        self.look = first_look(api.base_url, now_ms())

    def compose(self) -> ComposeResult:
        """Draw the parts, which :meth:`show` fills."""
        yield Static(id="head", markup=False)
        yield DataTable(id="incidents", cursor_type="row", show_row_labels=False)
        for part in _PARTS:
            if part.title:
                yield Static(part.title, classes="title", markup=False)
            yield Static(id=part.name, classes="part", markup=False)
        yield Static(id="said", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        table = self._table()
        for name, width in zip(_COLUMNS, (*_WIDTHS, None), strict=True):
            table.add_column(name, width=width)
        self._drawn = True
        self.show()
        self.action_look()
        self.set_interval(self._interval_s, self._tick)
        # What is shown grows old while nobody answers.
        self.set_interval(1.0, self._tell_age)

    def show(self) -> None:
        """Draw what is known."""
        self._show_head()
        self._fill_table()
        for part in _PARTS:
            lines = screen.shown(part, self.look, self.size.height)
            text = "\n".join(screen.clipped(line, self.size.width) for line in lines)
            drawn = self._part(part.name)
            drawn.display = bool(text)
            drawn.update(text)

    def on_resize(self) -> None:
        """Draw what is known anew: another size has room for more, or for less."""
        if self._drawn:
            self.show()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Look at the incident that the cursor is on."""
        chosen = str(event.row_key.value or "")
        if chosen:
            self._chosen = chosen
        if chosen and chosen != self.look.chosen:
            self.action_look()

    def on_data_table_row_selected(self) -> None:
        """Read the incident that the cursor is on."""
        self.action_open()

    def action_look(self) -> None:
        """Look again, or as soon as the look that is under way is over."""
        self._again = self._looking
        if not self._looking:
            self._looking = True
            self._look()

    def action_keys(self) -> None:
        """Say which keys there are."""
        self.push_screen(Reading(_KEYS.splitlines()))

    def action_open(self) -> None:
        """Read all that is known of the chosen incident."""
        incident = self.look.incident
        if incident is None:
            self._say("no incident is chosen")
            return
        self.push_screen(Reading([printable(line) for line in described(incident)]))

    def action_charts(self) -> None:
        """Draw what is measured larger than a line."""
        self.push_screen(Reading(screen.charts(self.look, self.size.width - _FRAME)))

    def action_give(self, command: str, value: str = "", text: str = "") -> None:
        """Give the chosen incident a command, and say at once that it is on its way."""
        if not self.look.chosen:
            self._say("no incident is chosen")
            return
        self._say(f"{command} {self.look.chosen} …")
        self._give(self.look.chosen, command, value, text)

    def action_take(self) -> None:
        """Take a role in the chosen incident, which whoever had it hands over."""

        def take(role: str | None) -> None:
            if role:
                self.action_give("assign", value=f"{role}:{self._actor}")

        one = self.look.incident
        if one is None:
            self._say("no incident is chosen")
            return
        held = {role: printable(one["roles"].get(role, ""), "") for role in _ROLES}
        words = {role: f"now {person}" if person else "" for role, person in held.items()}
        self.push_screen(Choosing(f"Take a role in {one['id']}", words), take)

    def action_note(self) -> None:
        """Write a note into its timeline."""

        def write(text: str | None) -> None:
            if text:
                self.action_give("note", text=text)

        if self.look.chosen:
            self.push_screen(Writing(f"Note for the timeline of {self.look.chosen}"), write)
        else:
            self._say("no incident is chosen")

    def action_resolve(self) -> None:
        """Resolve it, once that is confirmed."""

        def resolve(sure: bool | None) -> None:
            if sure:
                self.action_give("resolve")

        one = self.look.incident
        if one is None:
            self._say("no incident is chosen")
            return
        self.push_screen(Asking(f"Resolve {one['id']}, {printable(one['title'])}?"), resolve)

    def _tick(self) -> None:
        if not self._looking:  # a slow server is not asked twice at once
            self.action_look()

    @work(thread=True, group="look")
    def _look(self) -> None:
        found = look(self._api, self.look, self._now_ms(), self._chosen)
        self.call_from_thread(self._take_in, found)

    @work(thread=True, group="give")
    def _give(self, incident_id: str, command: str, value: str, text: str) -> None:
        try:
            after = self._api.command(
                incident_id, command, actor=self._actor, value=value, text=text
            )
        except ClientError as error:
            self.call_from_thread(self._say, f"{command} was refused: {error.message}")
        else:
            self.call_from_thread(self._done, command, after)

    def _done(self, command: str, after: Incident) -> None:
        self._say(f"{command} {after['id']}: done, it is {after['status']}")
        self.action_look()

    def _take_in(self, found: Look) -> None:
        self.look, self._looking = found, False
        self.show()
        if self._again:
            self.action_look()

    def _say(self, text: str) -> None:
        self._part("said").update(screen.clipped(text, self.size.width))

    def _tell_age(self) -> None:
        if self.look.away:
            self._show_head()

    def _show_head(self) -> None:
        head = self._part("head")
        now = replace(self.look, now_ms=self._now_ms()) if self.look.away else self.look
        head.set_class(bool(self.look.away), "away")
        head.update(screen.clipped(screen.head_line(now), self.size.width))

    def _fill_table(self) -> None:
        """Draw the open incidents; the cursor stays on the chosen one."""
        table = self._table()
        found = self.look.incidents.value or []
        table.clear()
        for one in found:
            cells = [Text(printable(cell.strip(), "")) for cell in screen.incident_cells(one)]
            cells[1].stylize(_COLOURS.get(one["severity"], ""))
            table.add_row(*cells, key=one["id"])
        ids = [one["id"] for one in found]
        if self.look.chosen in ids:
            table.move_cursor(row=ids.index(self.look.chosen))

    def _table(self) -> DataTable[Text]:
        return self.screen_stack[0].query_one("#incidents", DataTable)

    def _part(self, name: str) -> Static:
        """Return a part of the screen, also while something lies over it."""
        return self.screen_stack[0].query_one(f"#{name}", Static)

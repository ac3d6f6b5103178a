"""RSS 2.0 and Atom: a notice is an entry that changes with each update. Pure.

Sources: https://www.rssboard.org/rss-specification, RFC 4287.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from runbooks.status_page.notices import Notice
from runbooks.status_page.page import View

MAX_ENTRIES = 50
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def rss(view: View) -> str:
    """Return the newest notices as RSS."""
    items = "".join(_rss_item(view, notice) for notice in view.notices[:MAX_ENTRIES])
    link = view.url or "."
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
        f"<title>{_text(view.title)} status</title><link>{_text(link)}</link>"
        f"<description>Incidents and maintenance of {_text(view.title)}</description>"
        f"<lastBuildDate>{_rfc822(_changed_ms(view))}</lastBuildDate>{items}</channel></rss>\n"
    )


def atom(view: View) -> str:
    """Return the newest notices as Atom."""
    entries = "".join(_atom_entry(view, notice) for notice in view.notices[:MAX_ENTRIES])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{_text(view.title)} status</title><id>{_text(_id(view))}</id>"
        f"<link href={quoteattr(view.url or '.')}/>"
        f"<author><name>{_text(view.title)}</name></author>"
        f"<updated>{_iso(_changed_ms(view))}</updated>{entries}</feed>\n"
    )


def _rss_item(view: View, notice: Notice) -> str:
    newest_ms = _newest_ms(notice)
    title = f"{notice.progress(view.now_ms).words}: {notice.title}"
    return (
        f"<item><title>{_text(title)}</title><link>{_text(_link(view, notice))}</link>"
        f'<guid isPermaLink="false">{_text(f"{_id(view)}:{notice.id}:{newest_ms}")}</guid>'
        f"<pubDate>{_rfc822(newest_ms)}</pubDate>"
        f"<description>{_text(_words(notice))}</description></item>"
    )


def _atom_entry(view: View, notice: Notice) -> str:
    title = f"{notice.progress(view.now_ms).words}: {notice.title}"
    first_ms = notice.updates[-1].time_ms if notice.updates else notice.starts_ms
    return (
        f"<entry><title>{_text(title)}</title><id>{_text(f'{_id(view)}:{notice.id}')}</id>"
        f"<link href={quoteattr(_link(view, notice))}/>"
        f"<published>{_iso(first_ms)}</published><updated>{_iso(_newest_ms(notice))}</updated>"
        f'<content type="text">{_text(_words(notice))}</content></entry>'
    )


def _words(notice: Notice) -> str:
    return "\n\n".join(
        f"{_iso(one.time_ms)} {one.progress.words}: {one.text}" for one in notice.updates
    )


def _link(view: View, notice: Notice) -> str:
    base = f"{view.url}/" if view.url else ""
    return f"{base}incidents/{notice.id}.html"


def _id(view: View) -> str:
    return view.url or "urn:x-tocsin-status"


def _changed_ms(view: View) -> int:
    """Return when anything was last said: a feed that did not change says no other time."""
    return max((_newest_ms(notice) for notice in view.notices), default=0)


def _newest_ms(notice: Notice) -> int:
    return notice.updates[0].time_ms if notice.updates else notice.starts_ms


def _text(text: str) -> str:
    return escape(_NO_XML.sub("\N{REPLACEMENT CHARACTER}", text))


def _iso(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1_000, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def _rfc822(time_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(time_ms // 1_000, tz=UTC))

"""Bounds of log records: what senders, searches and followers may take."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

LOGS: Final = (
    Bound("collectors.logs.archive:MAX_BUCKETS", "steps of a histogram", "400, a larger step"),
    Bound("collectors.logs.changes:MAX_CHANGED", "patterns told that are new or have grown", "400"),
    Bound("collectors.logs.changes:MAX_BEFORE_MS", "the time before that they are compared with", "the last of it"),
    Bound("collectors.logs.rates:MAX_PATTERN_SERIES", "series of patterns", "`logs.untold` counts the others"),
    Bound("collectors.logs.rates:MAX_SERVICE_SERIES", "series of services and severities", "`logs.untold` counts the others"),
    Bound("collectors.logs.drain:MAX_CHILDREN", "words at one place of a pattern", "others share a gap"),
    Bound("collectors.logs.drain:MAX_MASKED_CHARS", "a line that a pattern looks at", "the rest is not compared"),
    Bound("collectors.logs.drain:MAX_PATTERNS", "patterns", "other lines are counted as the rest, and told"),
    Bound("collectors.logs.drain:MAX_SHAPES", "lines remembered by their masked text", "all are looked up anew"),
    Bound("collectors.logs.drain:MAX_WORDS", "words of a pattern", "the rest is not compared"),
    Bound("collectors.logs.history.log_keeper:MAX_WAITING_LINES", "lines that wait for history", "read from their log again"),
    Bound("collectors.redacting.redaction_file:MAX_RULES", "rules of redaction of one's own", "a mistake of the file"),
    Bound("collectors.logs.search:MAX_LIMIT", "lines of an answer", "400, the next page follows"),
    Bound("collectors.logs.search:MAX_VERIFIED", "lines whose text one search reads", "said in the answer"),
    Bound("collectors.logs.tail:MAX_FOLLOWERS", "who follows the log", "503 with Retry-After"),
    Bound("collectors.logs.tail:MAX_FOLLOWED_CHARS", "characters of lines that wait for one follower", "it is let go, and told"),
    Bound("collectors.logs.tail:MAX_FOLLOWED_LINES", "lines that wait for one follower", "it is let go, and told"),
    Bound("collectors.api.logs.reading:MAX_PHRASES", "words and phrases of a search", "400"),
    Bound("collectors.api.logs.reading:MAX_TEXT", "a text looked for in lines", "cut"),
    Bound("collectors.api.logs.reading:MAX_TIME_MS", "a moment asked for", "400"),
    Bound("collectors.receivers.log_lines.line:MAX_FLATTENED", "objects within objects that become attributes", "deeper ones stay JSON"),
    Bound("collectors.receivers.otlp.logs:MAX_LEVEL_CHARS", "what a severity or an event is called", "cut"),
    Bound("collectors.receivers.otlp.logs:MAX_REMEMBERED", "attributes remembered as text", "all are made anew"),
    Bound("collectors.receivers.syslog.server:MAX_MESSAGE_BYTES", "a syslog message", "cut, or its connection is closed"),
    Bound("collectors.receivers.syslog.server:MAX_STREAMS", "connections of syslog", "closed, and counted"),
    Bound("collectors.receivers.syslog.server:MAX_WAITING_MESSAGES", "syslog messages that wait", "refused, and counted"),
)  # fmt: skip

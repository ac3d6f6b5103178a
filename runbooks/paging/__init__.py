"""From events to pages: routes, what is to be sent, the outbox, and the courier that empties it.

What flows in: events of incidents and the operator's routes. What flows out: one message an
incident and channel, edited in place, with every update in its thread; each delivery ends as sent,
failed or unknown, never lost.
"""

"""Notifications: an outbox in the incident database and one notifier a channel.

What flows in: events of incidents. What flows out: one message an incident and channel, edited in
place, with every update in its thread; each delivery ends as sent, failed or unknown, never lost.
"""

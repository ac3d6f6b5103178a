"""Post-mortems: what the machine knows is filled in with its sources; the rest is left to people.

What flows in: an incident's log, its notifications, its runbook, and metrics read by expression.
What flows out: a Markdown file whose machine sections can be written again without touching a word
of what people wrote, and the same as HTML.
"""

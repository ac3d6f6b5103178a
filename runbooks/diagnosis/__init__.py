"""What an incident is, in one sentence, and what most likely caused it.

In come incidents as they are now; out go the words that page, message, terminal and post-mortem
all have for it. Pure: nothing is asked of anybody.
"""

"""Which commit broke it: what its diff changes, and whether that can make what is seen.

Commits, deployments and the messages of an incident flow in; commits ranked by their scores flow
out. No commit is an answer too.
"""

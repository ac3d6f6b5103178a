"""Public links: one incident as those may see it who have no token, for a time, until revoked.

In: who asks for a link, for how long. Out: an address that nobody can guess, and the page behind
it: what people chose to tell, and no more. Off unless an operator says for how long links last.
"""

"""Who may do what: roles, tokens kept as hashes, the gate before every port, the audit log.

In: requests, ``tokens.json``. Out: requests that may pass, with who makes them; a line in the audit
log for each that changes something.
"""

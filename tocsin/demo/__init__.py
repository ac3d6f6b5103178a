"""The demo: starts a platform and a tocsin beside it, breaks the one and watches the other.

It drives everything as a person would, through public HTTP addresses: the platform's control
server, tocsin's API, Slack's buttons. It never tells tocsin what was broken.
"""

"""Several processes that are one tocsin: who leads, who keeps a copy of what, and who tells.

In flow telemetry that one node accepted and the findings of this node's engine; out of it copies
for the peer, and findings for the desk while this node leads. With one process nothing of it runs.
"""

"""What a node says of itself and of what it alone received: no other node's series are the same."""

from __future__ import annotations

from dataclasses import replace

from collectors.model import Batch, MetricWriter, Receipt

NODE_KEY = "tocsin.node"
"""The tag that tells a node's own series from another's."""


class NodeTagged:
    """Writes series with the name of the node in their tags.

    Rates of spans and of log lines are made where these were received. Without it two nodes would
    write the same series, and the one who came last would win.

    Args:
        writer: Where they go.
        node: Name of this node.
    """

    def __init__(self, writer: MetricWriter, node: str) -> None:
        self._writer = writer
        self._node = node

    def write(self, batch: Batch) -> Receipt:
        """Keep ``batch``."""
        series = [{**tags, NODE_KEY: self._node} for tags in batch.series]
        return self._writer.write(replace(batch, series=series))

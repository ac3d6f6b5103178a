"""Drawing: lines over time become an image or a terminal chart.

A :class:`collectors.graph.chart.Chart` comes in, fully described (times, axes, lines, colours);
PNG bytes or text go out. Nothing here evaluates expressions or knows of HTTP. The layout follows
Atlas's public description of its graphs: variable parts stand right of and below the canvas, so
that canvases line up on a page.
"""

"""From a text to checked nodes, and back to a text."""

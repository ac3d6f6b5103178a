"""OpenSLO documents: text in, objectives that can run out, every mistake with its place."""

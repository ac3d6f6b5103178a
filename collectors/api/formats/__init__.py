"""One writer a graph format: a chart comes in, bytes and a media type go out."""

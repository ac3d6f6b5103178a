"""Questions about many spans, put to memory and to what outlives it."""

"""What a page is about to ask: what it read at its last ticks goes out in one request."""

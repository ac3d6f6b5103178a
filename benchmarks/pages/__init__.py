"""Pages in a real browser: the first chart, what a tick costs, and how often the API is asked."""

"""The server itself: how near its bounds, what it costs, what fails, what it was set to."""

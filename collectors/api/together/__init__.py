"""Many questions in one request: what a page asks at a tick comes in, one line each goes out."""

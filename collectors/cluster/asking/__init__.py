"""Any node answers: each is asked for its slots, and what they say is put together."""

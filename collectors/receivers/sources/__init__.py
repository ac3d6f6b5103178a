"""Who sends what: requests in with what became of them, a table of senders out."""

"""Commands of those who respond: incidents, calls, silences, runbooks and papers."""

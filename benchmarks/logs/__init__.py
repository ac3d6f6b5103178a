"""Log records: what is acknowledged a second, how long a search takes, what a line weighs."""

"""Atlas's publish endpoint: its JSON in, a batch out, by its own rules on names and values."""

"""Configuration of other programs as files of ours, with what is lost on the way."""

"""Which tags explain a streaming incident: real incidents with the tags that were at fault."""

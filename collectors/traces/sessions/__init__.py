"""What people did over several traces that share an attribute, such as a session's id."""

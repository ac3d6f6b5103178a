"""What commands lead to, one file for each idea; :mod:`.decide` chooses among them. Pure."""

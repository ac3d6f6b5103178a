"""The kinds of rules there are, in one table: what reads them, and what makes rules of them."""

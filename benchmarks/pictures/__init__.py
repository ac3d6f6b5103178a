"""The war room of real incidents, one for each fault, as pictures for the documentation."""

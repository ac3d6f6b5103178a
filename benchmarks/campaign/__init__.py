"""Campaigns: hundreds of thousands of random commands, to look for a state that may not be."""

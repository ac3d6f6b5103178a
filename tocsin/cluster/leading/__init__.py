"""Both nodes judge; whose findings reach people, and what a node does that takes the lead."""

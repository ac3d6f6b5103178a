"""Memory of the dashboard's process and of its tabs over hours of watching."""

"""What stands around charts: layers over them, the point that was clicked, saving, alerting."""

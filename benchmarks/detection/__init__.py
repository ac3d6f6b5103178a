"""What a step of each detector costs over many series."""

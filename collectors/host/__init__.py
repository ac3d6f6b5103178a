"""What the machine does to us: its disk, its clock, its faults, told and borne."""

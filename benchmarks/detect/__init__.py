"""What a step of the combined detector costs over many series, beside what others take for one."""

"""What goes wrong on purpose.

Experiments in chaostoolkit's format, run against the supervisor, each written with its start and
end to a ground-truth file.
"""

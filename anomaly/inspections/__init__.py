"""Stock inspections: thresholds for well-known metrics that hold until somebody says otherwise.

What flows in: the metrics of runtimes, hosts, servers and exporters, under the names that their
authors gave them. What flows out: findings that say what is seen, why it matters and what to do.
Each inspection is a small file of ``library``; one whose metrics nobody sends costs a look into the
index of names. Files of the configuration directory switch them off, change them or add others.
"""

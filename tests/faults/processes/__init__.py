"""Process seeds: random faults of processes, Redis, PostgreSQL, disks and clocks of the installed product."""

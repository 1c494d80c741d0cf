"""The database behind the ports of the engine, such as checkpoints, leases, ledger entries, items and dead letters.

Belongs here: reading and writing the state of a sync, each step as one transaction or one compare-and-swap. Does not
belong here: decisions (`sync.engine`), the steps of a worker (`sync.jobs`), texts on pages (`sync.reporting`).
"""

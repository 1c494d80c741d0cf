"""The decisions of a sync, and its ports for run control, checkpoints and ledger.

Belongs here: pure decisions over values, the sync of one mailbox over its ports, the retry policy, the circuit breaker.
Does not belong here: Django, SQL, HTTP. `sync.store` implements the ports on the database, `integrations` on mail
servers and Re:infer.
"""

"""The decisions of a sync, and the ports to what they read and write.

Belongs here: pure decisions over values, the sync of one mailbox over its ports, the retry policy, the circuit breaker.
Does not: Django, SQL, HTTP. `sync.store` implements the ports on the database, `integrations` on mail servers and Re:infer.
"""

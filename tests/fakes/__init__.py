"""Implementations in memory of the ports `Source` and `Sink`. Each passes the contract suite of the real adapters."""

"""Fakes of the ports in memory. Each passes the contract suite of the real implementation."""

"""Honest stand-ins for the ports: each passes the contract suite of the real one."""

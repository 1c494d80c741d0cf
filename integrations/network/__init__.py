"""The way to a server that an admin names, for every adapter that reads mail.

`transport` sends a request and reads the answer whole before the deadline, with its own TLS and proxy; `faults` names what goes
wrong; `settings` finds what an admin set wrongly before anything is sent; `steps` walks the way for a test of a connection;
`kept` holds one connection for each integration and process.
"""

"""The way to a server that an admin names, for every adapter that reads mail.

`session` talks to one server and follows no redirect; `transport`, below it, sends a request and reads the answer before the
deadline and within bounds, with its own TLS; `faults` names what goes wrong; `settings` finds what an admin set wrongly before
anything is sent; `steps` walks the way for a test of a connection; `kept` holds a connection for each integration and process.
"""

"""HTTP to a server that an admin configures, for every adapter that reads mail.

`session` sends requests to one server and follows no redirect. `transport`, below it, sends a request with its own TLS
context and reads the answer before the deadline and within size limits. `addresses` connects to one of the addresses of
a host name. `faults` converts exceptions to errors of `integrations.errors`. `settings` has the settings of a
connection and checks them before a request is sent. `steps` tests name, port and TLS for a connection test. `kept`
stores one open connection per integration and process.
"""

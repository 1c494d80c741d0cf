"""HTTP requests to a server that an admin configures, for all adapters that read mail.

`session` sends requests to one server and follows no redirect. `session` uses `transport`, which sends a request
with its own TLS context and reads the answer within a deadline and size limits. `addresses` connects to one of the addresses of
a host name. `faults` converts exceptions to errors of `integrations.errors`. `settings` has the settings of a
connection and checks them before a request is sent. `steps` tests name, port and TLS for a connection test. `kept`
stores one open connection per integration and process.
"""

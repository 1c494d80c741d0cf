"""HTTP requests to a server that an admin configures, for all adapters that read mail and for the sign-in to Entra.

- `session` sends requests to one server and follows no redirect.
- `transport`, which `session` uses, sends a request with the TLS context of the connection, and reads the answer within a
  deadline and size limits.
- `addresses` connects to one of the addresses of a host name.
- `faults` converts exceptions to errors of `integrations.errors`. It also searches the texts of exceptions for the
  words in `remote_words`.
- `settings` has the settings of a connection, and checks them before a request is sent.
- `steps` tests name, port and TLS for a connection test.
- `connection_cache` stores at most one open connection per integration and process.
- `values` reads times and numbers in answers; `web_page` recognises an HTML page in place of an answer.
"""

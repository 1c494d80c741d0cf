"""HTTP requests to a server that an admin configures, for all adapters that read mail.

- `session` sends requests to one server and follows no redirect.
- `transport`, which `session` uses, sends a request with the TLS context of the connection, and reads the answer within a
  deadline and size limits.
- `addresses` connects to one of the addresses of a host name.
- `faults` converts exceptions to errors of `integrations.errors`; `remote_words` has the words by which it recognises them.
- `settings` has the settings of a connection, and checks them before a request is sent.
- `steps` tests name, port and TLS for a connection test.
- `connection_cache` stores at most one open connection per integration and process.
- `values` reads times and numbers in answers; `web_page` recognises an HTML page in place of an answer.
"""

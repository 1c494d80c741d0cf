"""The Exchange adapter: the only package that knows exchangelib.

`source` implements the port; `folders`, `changes` and `fetch` read what it reports; `operations` are exchangelib's own service
classes, faster and with their traps closed; `connection`, `protocol`, `transport` and `credentials` make and keep the
connection; `errors` translates what goes wrong, once.
"""

import logging

# exchangelib logs whole values, headers and XML, on errors at any level: nothing of it may reach a log of ours.
for _name in ("exchangelib", "requests_ntlm", "spnego", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

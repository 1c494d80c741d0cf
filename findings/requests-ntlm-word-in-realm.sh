#!/usr/bin/env bash
# requests_ntlm 1.3.0 (PyPI): the client tries NTLM with a server that offers only Basic, if the realm contains "ntlm".
#
# Input:    401 with `WWW-Authenticate: Basic realm="ntlm.bank.example"`, from a small HTTP server on loopback.
# Guess:    the client reads the scheme, finds no offer of NTLM, and returns the 401.
# Expected: one request (RFC 9110, section 11.6.1: the challenge is a scheme with parameters; a realm is opaque text).
# Observed: a second request with `Authorization: NTLM …`, then PermissionError ("did not respond with NTLM challenge token")
#           instead of the 401. With realm="bank" there is one request, and the 401 is returned.
# Output:
#     requests_ntlm 1.3.0 python 3.11.7
#     realm bank: expected ['nothing', 401], observed ['nothing', 401]
#     realm ntlm.bank.example: expected ['nothing', 401], observed ['nothing', 'NTLM', 'PermissionError']
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests_ntlm==1.3.0
cat > try.py <<'PY'
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import requests
from requests_ntlm import HttpNtlmAuth

print("requests_ntlm", version("requests_ntlm"), "python", sys.version.split()[0])


def schemes_sent(realm):
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            seen.append(self.headers.get("Authorization", "nothing").partition(" ")[0])
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Basic realm="{realm}"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *given):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    session = requests.Session()
    session.trust_env = False
    try:
        answer = session.get(f"http://127.0.0.1:{server.server_port}/", auth=HttpNtlmAuth("BANK\\u", "p"), timeout=10)
        seen.append(answer.status_code)
    except PermissionError as error:
        seen.append(type(error).__name__)
    server.shutdown()
    return seen


plain, named = schemes_sent("bank"), schemes_sent("ntlm.bank.example")
print("realm bank: expected ['nothing', 401], observed", plain)
print("realm ntlm.bank.example: expected ['nothing', 401], observed", named)
same = plain == ["nothing", 401] and named == ["nothing", "NTLM", "PermissionError"]
print("as described" if same else "CHANGED")
sys.exit(0 if same else 1)
PY
venv/bin/python try.py

#!/usr/bin/env bash
# letterparser 0.1.8 (npm): a boundary in two pieces is an error, and the name of a group becomes part of an address.
#
# Input:    Content-Type: multipart/mixed; boundary*0="out"; boundary*1="er"   (RFC 2231, section 3)
#           To: Team: b@x.example, C <c@x.example>;                            (RFC 5322, section 3.4)
# Guess:    text "hello"; recipients b@x.example and c@x.example.
# Expected: the same.
# Observed: an exception, "Multipart type lacking boundary"; the first recipient has the address "Team: b@x.example".
# Output:
#     letterparser 0.1.8, node v20.20.2
#     text, boundary in two pieces: expected "hello", observed "error: Multipart type lacking boundary at line 1"
#     text, boundary in one piece: expected "hello", observed "hello"
#     first of the group: expected "b@x.example", observed "Team: b@x.example"
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit letterparser@0.1.8
cat > try.mjs <<'JS'
import * as letterparser from 'letterparser';
const email = (boundary, to) => [
  'From: a@x.example', `To: ${to}`, 'Subject: s', 'MIME-Version: 1.0', `Content-Type: multipart/mixed; ${boundary}`, '',
  '--outer', 'Content-Type: text/plain', '', 'hello', '--outer--', '',
].join('\r\n');
const parsed = (raw) => { try { return letterparser.extract(raw); } catch (error) { return { text: `error: ${error.message}` }; } };
const whole = parsed(email('boundary="outer"', 'Team: b@x.example, C <c@x.example>;'));
const pieces = parsed(email('boundary*0="out"; boundary*1="er"', 'b@x.example'));
console.log('letterparser 0.1.8, node', process.version);
console.log('text, boundary in two pieces: expected "hello", observed', JSON.stringify(pieces.text));
console.log('text, boundary in one piece: expected "hello", observed', JSON.stringify(whole.text));
console.log('first of the group: expected "b@x.example", observed', JSON.stringify(whole.to[0].address));
const same = pieces.text.includes('lacking boundary') && whole.text.trim() === 'hello' && whole.to[0].address === 'Team: b@x.example';
console.log(same ? 'as described' : 'CHANGED');
process.exit(same ? 0 : 1);
JS
node try.mjs

#!/usr/bin/env bash
# postal-mime 4.0.0 (npm): a nested comment in an address, and an address with a route, are read incorrectly.
#
# Input:    From: a@x.example (Ann (Desk 4) Field)    comments nest (RFC 5322, section 3.2.2)
#           To: <@r.example,@s.example:b@x.example>   a route, which parsers must accept and ignore (section 4.4)
# Guess:    name "Ann (Desk 4) Field", address b@x.example.
# Expected: the same. nodemailer's mailparser 3.14.2, by the same author, returns these values.
# Observed: name "Field)": half of the comment is lost. The address of the recipient is "@r.example,@s.example:b@x.example",
#           which never matches a rule for x.example or for b@x.example.
# Output:
#     postal-mime 4.0.0, mailparser 3.14.2, node v20.20.2
#     name: expected "Ann (Desk 4) Field", postal-mime "Field)" mailparser "Ann (Desk 4) Field"
#     to: expected "b@x.example", postal-mime "@r.example,@s.example:b@x.example" mailparser "b@x.example"
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit postal-mime@4.0.0 mailparser@3.14.2
cat > try.mjs <<'JS'
import { createRequire } from 'module';
import PostalMime from 'postal-mime';
const { simpleParser } = createRequire(import.meta.url)('mailparser');
const raw = [
  'From: a@x.example (Ann (Desk 4) Field)', 'To: <@r.example,@s.example:b@x.example>', 'Subject: s', '', 'hello', '',
].join('\r\n');
const postal = await PostalMime.parse(raw);
const other = await simpleParser(raw);
console.log('postal-mime 4.0.0, mailparser 3.14.2, node', process.version);
console.log('name: expected "Ann (Desk 4) Field", postal-mime', JSON.stringify(postal.from.name), 'mailparser', JSON.stringify(other.from.value[0].name));
console.log('to: expected "b@x.example", postal-mime', JSON.stringify(postal.to[0].address), 'mailparser', JSON.stringify(other.to.value[0].address));
const same = postal.from.name === 'Field)' && postal.to[0].address === '@r.example,@s.example:b@x.example'
  && other.from.value[0].name === 'Ann (Desk 4) Field' && other.to.value[0].address === 'b@x.example';
console.log(same ? 'as described' : 'CHANGED');
process.exit(same ? 0 : 1);
JS
node try.mjs

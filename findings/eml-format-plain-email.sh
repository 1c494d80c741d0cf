#!/usr/bin/env bash
# eml-format 0.6.1 (npm): an email without Content-Type has no text, and a nested text contains the delimiter lines.
#
# Input:    (1) a plain email: From, To, Subject, an empty line, "hello". RFC 2045, section 5.2: it is text/plain in us-ascii.
#           (2) a multipart/mixed that contains a multipart/alternative with the text "hello", as most mail programs write it.
# Guess:    text "hello" in both.
# Expected: text "hello". In (2) the closing delimiters are not part of the text (RFC 2046, section 5.1.1).
# Observed: (1) no text. (2) "hello", then "--inner--" and "--outer--".
# Output:
#     eml-format 0.6.1 node v20.20.2
#     plain: expected "hello", observed undefined
#     nested: expected "hello", observed "hello\r\n--inner--\r\n--outer--\r\n"
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit eml-format@0.6.1
cat > try.js <<'JS'
const { read } = require('eml-format');
console.log('eml-format', require('eml-format/package.json').version, 'node', process.version);
const CRLF = '\r\n';
const plain = ['From: a@x.example', 'To: b@x.example', 'Subject: s', '', 'hello', ''].join(CRLF);
const nested = [
  'From: a@x.example', 'To: b@x.example', 'Subject: s', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="outer"', '',
  '--outer', 'Content-Type: multipart/alternative; boundary="inner"', '',
  '--inner', 'Content-Type: text/plain', '', 'hello', '--inner--', '--outer--', '',
].join(CRLF);
const parsed = (raw) => new Promise((done) => {
  try {
    read(raw, (error, email) => done(error ? { text: `error: ${error}` } : email));
  } catch (error) {
    done({ text: `error: ${error}` });
  }
});
(async () => {
  const first = await parsed(plain);
  const second = await parsed(nested);
  console.log('plain: expected "hello", observed', JSON.stringify(first.text));
  console.log('nested: expected "hello", observed', JSON.stringify(second.text));
  const same = first.text === undefined && second.text.includes('--inner--') && second.text.includes('--outer--');
  console.log(same ? 'as described' : 'CHANGED');
  process.exit(same ? 0 : 1);
})();
JS
node try.js

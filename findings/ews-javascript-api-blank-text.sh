#!/usr/bin/env bash
# ews-javascript-api 0.15.3 (npm): a subject of spaces or with a CDATA section becomes an object, and outer spaces are removed.
#
# Input:    GetItem responses as an Exchange server may send them, from a small HTTP server on loopback.
# Guess:    Subject is a string or null, as in its type declaration; a text keeps its spaces.
# Expected: "   ", "a <b> c" and "  two  blanks  " (XML 1.0, sections 2.4, 2.7 and 2.10: a CDATA section is text, and all
#           characters that are not markup are passed on).
# Observed: an object {"__prefix":"t","__type":"Subject"}; an object without the text of the section; "two  blanks".
# Output:
#     ews-javascript-api 0.15.3 node v20.20.2
#        : expected "   ", observed {"__prefix":"t","__type":"Subject"}
#     <![CDATA[a <b>]]> c: expected "a <b> c", observed {"__prefix":"t","__type":"Subject","__text":[{}," c"]}
#       two  blanks  : expected "  two  blanks  ", observed "two  blanks"
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed. Needs Node.js 20.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit ews-javascript-api@0.15.3
cat > try.js <<'JS'
const http = require('http');
const ews = require('ews-javascript-api');
console.log('ews-javascript-api', require('ews-javascript-api/package.json').version, 'node', process.version);
const namespaces = 'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
  + ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"';
const answerOf = (subject) => `<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ${namespaces}><s:Header>
<t:ServerVersionInfo MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="39"/></s:Header>
<s:Body><m:GetItemResponse><m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Success">
<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message><t:ItemId Id="AAA=" ChangeKey="CQ=="/>
<t:Subject>${subject}</t:Subject></t:Message></m:Items>
</m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>`;
const cases = [
  ['   ', '   ', (seen) => typeof seen === 'object' && seen.__type === 'Subject'],
  ['<![CDATA[a <b>]]> c', 'a <b> c', (seen) => typeof seen === 'object' && !JSON.stringify(seen).includes('<b>')],
  ['  two  blanks  ', '  two  blanks  ', (seen) => seen === 'two  blanks'],
];
let answer = '';
const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8' });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', async () => {
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013_SP1);
  service.Url = new ews.Uri(`http://127.0.0.1:${server.address().port}/`);
  service.Credentials = new ews.WebCredentials('u', 'p');
  const wanted = new ews.PropertySet(ews.BasePropertySet.FirstClassProperties);
  let same = true;
  for (const [xml, expected, asDescribed] of cases) {
    answer = answerOf(xml);
    const email = await ews.EmailMessage.Bind(service, new ews.ItemId('AAA='), wanted);
    console.log(`${xml}: expected ${JSON.stringify(expected)}, observed ${JSON.stringify(email.Subject)}`);
    same = same && asDescribed(email.Subject);
  }
  server.close();
  console.log(same ? 'as described' : 'CHANGED');
  process.exit(same ? 0 : 1);
});
JS
node try.js

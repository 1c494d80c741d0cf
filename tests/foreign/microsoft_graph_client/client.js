// Reads a mailbox through Graph with Microsoft's JavaScript client, as in its documentation. The simulator is a custom host
// (`customHosts`).
const { readFileSync } = require("node:fs");
const {
  BatchRequestContent, BatchResponseContent, Client, PageIterator, ResponseType,
} = require("@microsoft/microsoft-graph-client");

const PAGE = 7;
const BATCH_SIZE = 20;

class SignIn {
  constructor(given) {
    this.given = given;
  }

  async getAccessToken() {
    const { authority, tenant, client_id, secret, url } = this.given;
    const form = { grant_type: "client_credentials", client_id, client_secret: secret, scope: `${url}/.default` };
    const answer = await fetch(`${authority}/${tenant}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams(form),
    });
    const body = await answer.json();
    if (!answer.ok) {
      // The client uses the name of this error as the code of the error that it throws.
      throw Object.assign(new Error(body.error_description), { name: body.error });
    }
    return body.access_token;
  }
}

async function read(given) {
  const client = Client.initWithMiddleware({
    authProvider: new SignIn(given),
    baseUrl: `${given.url}/`,
    defaultVersion: "v1.0",
    customHosts: new Set([new URL(given.url).hostname]),
  });
  const mailbox = `/users/${encodeURIComponent(given.address)}`;
  const folders = await foldersBelow(client, `${mailbox}/mailFolders`, mailbox, "");
  const emails = [];
  for (const [path, folder] of folders) {
    const rows = await allRows(client, `${mailbox}/mailFolders/${folder.id}/messages`);
    for (const row of rows) {
      emails.push(await emailOf(client, mailbox, path, row));
    }
  }
  const inbox = folders.get("Inbox");
  return {
    folders: Object.fromEntries([...folders].map(([path, folder]) => [path, folder.totalItemCount])),
    emails,
    delta: (await deltaRows(client, `${mailbox}/mailFolders/inbox/messages/delta`)).length,
    batch: await inBatches(client, mailbox, inbox.id),
    count: Number(await client.api(`${mailbox}/mailFolders/inbox/messages/$count`).responseType(ResponseType.TEXT).get()),
    user: (await client.api(mailbox).select("userPrincipalName").get()).userPrincipalName,
  };
}

async function foldersBelow(client, address, mailbox, path) {
  const found = new Map();
  for (const folder of await allRows(client, address)) {
    const name = `${path}${folder.displayName}`;
    found.set(name, folder);
    if (folder.childFolderCount) {
      const below = await foldersBelow(client, `${mailbox}/mailFolders/${folder.id}/childFolders`, mailbox, `${name}/`);
      below.forEach((child, where) => found.set(where, child));
    }
  }
  return found;
}

async function allRows(client, address) {
  const found = [];
  const first = await client.api(address).top(PAGE).get();
  await new PageIterator(client, first, (row) => found.push(row) > 0).iterate();
  return found;
}

async function deltaRows(client, address) {
  const found = [];
  const first = await client.api(address).header("Prefer", `odata.maxpagesize=${PAGE}`).get();
  const pages = new PageIterator(client, first, (row) => found.push(row) > 0, {
    headers: { Prefer: `odata.maxpagesize=${PAGE}` },
  });
  await pages.iterate();
  if (!pages.getDeltaLink()) {
    throw new Error("no delta link");
  }
  return found;
}

// Requests the parent folders of the first messages of the Inbox in one batch, by immutable ids. Returns the number of
// messages, or 0 if the response about one of them is not about this message or names another folder.
async function inBatches(client, mailbox, inbox) {
  const prefer = { Prefer: 'IdType="ImmutableId"' };
  const rows = (await client.api(`${mailbox}/mailFolders/${inbox}/messages`).headers(prefer).top(BATCH_SIZE).get()).value;
  const parts = rows.map((row, number) => ({
    id: String(number),
    request: new Request(`https://graph.example${mailbox}/messages/${row.id}?$select=parentFolderId`, { headers: prefer }),
  }));
  const batch = await new BatchRequestContent(parts).getContent();
  const answers = new BatchResponseContent(await client.api("/$batch").post(batch));
  let inInbox = 0;
  for (let number = 0; number < rows.length; number += 1) {
    const row = await answers.getResponseById(String(number)).json();
    inInbox += row.id === rows[number].id && row.parentFolderId === inbox;
  }
  return inInbox === rows.length ? inInbox : 0;
}

async function emailOf(client, mailbox, path, row) {
  const message = `${mailbox}/messages/${row.id}`;
  const mime = await client.api(`${message}/$value`).responseType(ResponseType.ARRAYBUFFER).get();
  const attachments = {};
  for (const one of await allRows(client, `${message}/attachments`)) {
    if (one["@odata.type"] === "#microsoft.graph.fileAttachment") {
      const raw = await client.api(`${message}/attachments/${one.id}/$value`).responseType(ResponseType.ARRAYBUFFER).get();
      attachments[one.name] = Buffer.from(raw).toString("base64");
      if (attachments[one.name] !== one.contentBytes) {
        throw new Error("an attachment has two contents");
      }
    }
  }
  return {
    folder: path,
    subject: row.subject,
    message_id: row.internetMessageId || "",
    read: row.isRead,
    mime: Buffer.from(mime).toString("base64"),
    attachments,
  };
}

read(JSON.parse(readFileSync(0, "utf8")))
  .catch((error) => ({ error: error.code || String(error.stack) }))
  .then((answer) => process.stdout.write(JSON.stringify(answer)));

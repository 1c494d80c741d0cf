// Reads a mailbox with ews-javascript-api, as in its README, with Basic, or with NTLM through @ewsjs/xhr.
const { readFileSync } = require("node:fs");
const ews = require("ews-javascript-api");
const { XhrApi } = require("@ewsjs/xhr");

const PAGE = 7;

async function read(given) {
  if (given.ntlm) {
    ews.ConfigurationApi.ConfigureXHR(new XhrApi().useNtlmAuthentication(given.username, given.password));
  }
  const service = new ews.ExchangeService(ews.ExchangeVersion.Exchange2013_SP1);
  service.Url = new ews.Uri(given.url);
  service.Credentials = new ews.WebCredentials(given.username, given.password);
  const mailbox = new ews.Mailbox(given.address);
  const top = new ews.FolderId(ews.WellKnownFolderName.MsgFolderRoot, mailbox);
  const folders = await foldersBelow(service, top, "");
  const emails = [];
  for (const [path, folder] of folders) {
    for (const item of await allItems((view) => folder.FindItems(view))) {
      emails.push(await emailOf(service, path, item));
    }
  }
  const inbox = await ews.Folder.Bind(service, new ews.FolderId(ews.WellKnownFolderName.Inbox, mailbox));
  const unread = new ews.SearchFilter.IsEqualTo(ews.EmailMessageSchema.IsRead, false);
  const found = await service.FindItems(inbox.Id, unread, new ews.ItemView(1000));
  return {
    folders: Object.fromEntries([...folders].map(([path, folder]) => [path, folder.TotalCount])),
    emails,
    unread: found.TotalCount,
  };
}

async function foldersBelow(service, parent, above) {
  const view = new ews.FolderView(1000);
  view.PropertySet = new ews.PropertySet(ews.BasePropertySet.FirstClassProperties);
  const found = new Map();
  for (const folder of (await service.FindFolders(parent, view)).Folders) {
    if (folder.FolderClass === "IPF.Note") {
      found.set(above + folder.DisplayName, folder);
      const below = await foldersBelow(service, folder.Id, `${above}${folder.DisplayName}/`);
      below.forEach((one, path) => found.set(path, one));
    }
  }
  return found;
}

// Returns all items of a search. Requests them page by page.
async function allItems(find) {
  const items = [];
  for (let offset = 0; ; ) {
    const page = await find(new ews.ItemView(PAGE, offset));
    items.push(...page.Items);
    if (!page.MoreAvailable) return items;
    offset = page.NextPageOffset;
  }
}

async function emailOf(service, path, item) {
  const properties = new ews.PropertySet(ews.BasePropertySet.FirstClassProperties, [ews.ItemSchema.MimeContent]);
  const email = await ews.EmailMessage.Bind(service, item.Id, properties);
  const attachments = {};
  for (const attachment of email.Attachments.Items) {
    await attachment.Load();
    attachments[attachment.Name] = attachment.Base64Content;
  }
  return {
    folder: path,
    subject: email.Subject || "",
    message_id: email.InternetMessageId || "",
    read: email.IsRead,
    mime: email.MimeContent.Content,
    attachments,
  };
}

read(JSON.parse(readFileSync(0, "utf-8"))).then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    const code = error.ErrorCode !== undefined ? ews.ServiceError[error.ErrorCode] : undefined;
    if (code === undefined && error.HttpStatusCode === undefined) console.error(error);
    console.log(JSON.stringify({ error: code && error.HttpStatusCode === undefined ? code : `HTTP ${error.HttpStatusCode}` }));
  },
);

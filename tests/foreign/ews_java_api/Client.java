import java.net.URI;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import microsoft.exchange.webservices.data.core.ExchangeService;
import microsoft.exchange.webservices.data.core.PropertySet;
import microsoft.exchange.webservices.data.core.enumeration.misc.ExchangeVersion;
import microsoft.exchange.webservices.data.core.enumeration.property.BasePropertySet;
import microsoft.exchange.webservices.data.core.enumeration.property.WellKnownFolderName;
import microsoft.exchange.webservices.data.core.exception.service.remote.ServiceResponseException;
import microsoft.exchange.webservices.data.core.service.folder.Folder;
import microsoft.exchange.webservices.data.core.service.item.EmailMessage;
import microsoft.exchange.webservices.data.core.service.item.Item;
import microsoft.exchange.webservices.data.core.service.schema.EmailMessageSchema;
import microsoft.exchange.webservices.data.core.service.schema.ItemSchema;
import microsoft.exchange.webservices.data.credential.WebCredentials;
import microsoft.exchange.webservices.data.property.complex.Attachment;
import microsoft.exchange.webservices.data.property.complex.FileAttachment;
import microsoft.exchange.webservices.data.property.complex.FolderId;
import microsoft.exchange.webservices.data.property.complex.Mailbox;
import microsoft.exchange.webservices.data.search.FindItemsResults;
import microsoft.exchange.webservices.data.search.FolderView;
import microsoft.exchange.webservices.data.search.ItemView;
import microsoft.exchange.webservices.data.search.filter.SearchFilter;

/** Reads a mailbox with ews-java-api, as in its guide. Arguments: URL, domain, user, password, address. */
public class Client {
  private static final int PAGE = 7;

  public static void main(String[] given) throws Exception {
    ExchangeService service = new ExchangeService(ExchangeVersion.Exchange2010_SP2);
    service.setCredentials(new WebCredentials(given[2], given[3], given[1]));
    service.setUrl(new URI(given[0]));
    Map<String, Object> result = new LinkedHashMap<>();
    try {
      result = read(service, new Mailbox(given[4]));
    } catch (ServiceResponseException refused) {
      result.put("error", refused.getErrorCode().toString());
    } catch (Exception failed) {
      failed.printStackTrace();
      result.put("error", String.valueOf(rootCause(failed).getMessage()));
    } finally {
      service.close();
    }
    System.out.println(json(result));
  }

  private static Map<String, Object> read(ExchangeService service, Mailbox mailbox) throws Exception {
    Map<String, Folder> folders = new TreeMap<>();
    collect(service, new FolderId(WellKnownFolderName.MsgFolderRoot, mailbox), "", folders);
    Map<String, Object> totals = new LinkedHashMap<>();
    List<Object> emails = new ArrayList<>();
    for (Map.Entry<String, Folder> entry : folders.entrySet()) {
      totals.put(entry.getKey(), entry.getValue().getTotalCount());
      for (Item item : everything(entry.getValue())) {
        emails.add(emailFields(service, entry.getKey(), item));
      }
    }
    SearchFilter unread = new SearchFilter.IsEqualTo(EmailMessageSchema.IsRead, false);
    FolderId inbox = new FolderId(WellKnownFolderName.Inbox, mailbox);
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folders", totals);
    result.put("emails", emails);
    result.put("unread", service.findItems(inbox, unread, new ItemView(1000)).getTotalCount());
    return result;
  }

  private static void collect(ExchangeService service, FolderId parent, String above, Map<String, Folder> into)
      throws Exception {
    for (Folder folder : service.findFolders(parent, new FolderView(1000)).getFolders()) {
      if ("IPF.Note".equals(folder.getFolderClass())) {
        into.put(above + folder.getDisplayName(), folder);
        collect(service, folder.getId(), above + folder.getDisplayName() + "/", into);
      }
    }
  }

  private static List<Item> everything(Folder folder) throws Exception {
    List<Item> items = new ArrayList<>();
    ItemView view = new ItemView(PAGE);
    FindItemsResults<Item> page;
    do {
      page = folder.findItems(view);
      items.addAll(page.getItems());
      view.setOffset(view.getOffset() + PAGE);
    } while (page.isMoreAvailable());
    return items;
  }

  private static Map<String, Object> emailFields(ExchangeService service, String folder, Item found) throws Exception {
    PropertySet wanted = new PropertySet(BasePropertySet.FirstClassProperties, ItemSchema.MimeContent);
    EmailMessage item = EmailMessage.bind(service, found.getId(), wanted);
    Map<String, Object> attachments = new LinkedHashMap<>();
    for (Attachment attachment : item.getAttachments()) {
      attachment.load();
      byte[] content = ((FileAttachment) attachment).getContent();
      attachments.put(attachment.getName(), Base64.getEncoder().encodeToString(content));
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("folder", folder);
    result.put("subject", item.getSubject() == null ? "" : item.getSubject());
    result.put("message_id", item.getInternetMessageId() == null ? "" : item.getInternetMessageId());
    result.put("read", item.getIsRead());
    result.put("mime", Base64.getEncoder().encodeToString(item.getMimeContent().getContent()));
    result.put("attachments", attachments);
    return result;
  }

  private static Throwable rootCause(Throwable failed) {
    return failed.getCause() == null ? failed : rootCause(failed.getCause());
  }

  private static String json(Object value) {
    if (value instanceof Map) {
      List<String> parts = new ArrayList<>();
      ((Map<?, ?>) value).forEach((key, one) -> parts.add(json(key) + ":" + json(one)));
      return "{" + String.join(",", parts) + "}";
    }
    if (value instanceof List) {
      List<String> parts = new ArrayList<>();
      ((List<?>) value).forEach(one -> parts.add(json(one)));
      return "[" + String.join(",", parts) + "]";
    }
    if (value instanceof String) {
      StringBuilder text = new StringBuilder("\"");
      for (char one : ((String) value).toCharArray()) {
        text.append(one < ' ' || one > '~' || one == '"' || one == '\\' ? String.format("\\u%04x", (int) one) : one);
      }
      return text.append('"').toString();
    }
    return String.valueOf(value);
  }
}

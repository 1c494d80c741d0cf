#!/usr/bin/env bash
# ews-java-api 2.0 (Maven): white space between two entity references is lost, and the boolean "1" is read as false.
#
# Input:    A GetItem response as Exchange sends it, from a small HTTP server on loopback. Its subject is
#           "R&amp;D &lt;desk&gt; &amp; Co", its HTML body has a space between two escaped tags, and IsRead is "1".
# Guess:    the reader joins the pieces of a text, so nothing is lost; both notations of a boolean are accepted.
# Expected: "R&D <desk> & Co"; the spaces of the body (XML 1.0, section 2.10: a processor passes on all characters that are not
#           markup); true (XML Schema part 2, section 3.2.2: the literals are true, false, 1 and 0).
# Observed: "R&D <desk>& Co"; the body without its spaces; false. A space next to a letter is kept.
# Output:
#     [0m[0mews-java-api 2.0, Java 17.0.15
#     subject: expected R&D <desk> & Co, observed R&D <desk>& Co
#     body: expected <b>one</b> <i>two</i>, observed <b>one</b><i>two</i>
#     IsRead: expected true, observed false
#     as described
# Exit code 0: the behaviour is as described. 1: it has changed. Needs a JDK (11 or newer) and Maven.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.microsoft.ews-java-api</groupId><artifactId>ews-java-api</artifactId><version>2.0</version></dependency>
    <!-- Was part of Java until version 10. The library does not start without it. -->
    <dependency><groupId>javax.xml.ws</groupId><artifactId>jaxws-api</artifactId><version>2.3.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B --color never dependency:copy-dependencies -DoutputDirectory=lib
cat > Try.java <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import microsoft.exchange.webservices.data.core.ExchangeService;
import microsoft.exchange.webservices.data.core.PropertySet;
import microsoft.exchange.webservices.data.core.enumeration.misc.ExchangeVersion;
import microsoft.exchange.webservices.data.core.enumeration.property.BasePropertySet;
import microsoft.exchange.webservices.data.core.service.item.EmailMessage;
import microsoft.exchange.webservices.data.credential.WebCredentials;
import microsoft.exchange.webservices.data.property.complex.ItemId;
import microsoft.exchange.webservices.data.property.complex.MessageBody;

public class Try {
  static final String NAMESPACES =
      " xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\""
          + " xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\"";
  static final String ANSWER =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
          + "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"" + NAMESPACES + "><s:Header>"
          + "<t:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"1\" MajorBuildNumber=\"2507\" MinorBuildNumber=\"39\"/>"
          + "</s:Header><s:Body><m:GetItemResponse><m:ResponseMessages><m:GetItemResponseMessage ResponseClass=\"Success\">"
          + "<m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message><t:ItemId Id=\"AAA=\" ChangeKey=\"CQ==\"/>"
          + "<t:Subject>R&amp;D &lt;desk&gt; &amp; Co</t:Subject>"
          + "<t:Body BodyType=\"HTML\">&lt;b&gt;one&lt;/b&gt; &lt;i&gt;two&lt;/i&gt;</t:Body>"
          + "<t:IsRead>1</t:IsRead>"
          + "</t:Message></m:Items></m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>";

  static boolean shown(String what, Object expected, Object observed, Object before) {
    System.out.println(what + ": expected " + expected + ", observed " + observed);
    return observed.equals(before);
  }

  public static void main(String[] arguments) throws Exception {
    System.out.println("ews-java-api 2.0, Java " + System.getProperty("java.version"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.createContext("/", exchange -> {
      exchange.getRequestBody().readAllBytes();
      byte[] answer = ANSWER.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/xml; charset=utf-8");
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
      exchange.close();
    });
    server.start();
    ExchangeService service = new ExchangeService(ExchangeVersion.Exchange2010_SP2);
    service.setCredentials(new WebCredentials("u", "p"));
    service.setUrl(new URI("http://127.0.0.1:" + server.getAddress().getPort() + "/"));
    EmailMessage email =
        EmailMessage.bind(service, new ItemId("AAA="), new PropertySet(BasePropertySet.FirstClassProperties));
    String body = MessageBody.getStringFromMessageBody(email.getBody());
    boolean same =
        shown("subject", "R&D <desk> & Co", email.getSubject(), "R&D <desk>& Co")
            & shown("body", "<b>one</b> <i>two</i>", body, "<b>one</b><i>two</i>")
            & shown("IsRead", true, email.getIsRead(), false);
    service.close();
    server.stop(0);
    System.out.println(same ? "as described" : "CHANGED");
    System.exit(same ? 0 : 1);
  }
}
JAVA
javac -nowarn -cp 'lib/*' Try.java 2>/dev/null
java -cp 'lib/*:.' Try 2>/dev/null

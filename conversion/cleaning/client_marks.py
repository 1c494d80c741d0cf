"""A table of the HTML elements with which mail programs mark quotes and signatures.

A mark is more reliable than a guess from the text, because the mail program made it. The table can be extended up to
`marked_text.MAX_MARKS` marks.
"""

from __future__ import annotations

from conversion.cleaning.marked_text import Mark, MarkKind

CLIENT_MARKS: tuple[Mark, ...] = (
    # Thunderbird, Apple Mail, Roundcube and many others. First in the list, so that any other mark takes precedence.
    Mark("cite-quote", MarkKind.CITATION, "blockquote"),
    # Gmail puts the attribution, the quote and inline answers into one element. Only the inner element is a quote.
    Mark("gmail-wrapper", MarkKind.WRAPPER, "div.gmail_quote"),
    Mark("gmail-quote", MarkKind.QUOTE, "blockquote.gmail_quote"),
    Mark("gmail-attribution", MarkKind.ATTRIBUTION, "div.gmail_attr"),
    Mark("gmail-signature", MarkKind.SIGNATURE, "div.gmail_signature, div[data-smartmail=gmail_signature]"),
    # Yahoo prefixes the class with characters that differ in each email.
    Mark("yahoo-quote", MarkKind.QUOTE, 'div[class*="yahoo_quoted"], div[id*="yahoo_quoted"]'),
    Mark(
        "yahoo-signature", MarkKind.SIGNATURE, 'div[class*="ydp"][class*="signature"], a[id*="ymail_android_signature"]'
    ),
    Mark("proton-wrapper", MarkKind.WRAPPER, "div.protonmail_quote, div.tutanota_quote_wrapper"),
    Mark("proton-quote", MarkKind.QUOTE, "blockquote.protonmail_quote"),
    Mark("proton-signature", MarkKind.SIGNATURE, "div.protonmail_signature_block"),
    Mark("tuta-quote", MarkKind.QUOTE, "blockquote.tutanota_quote"),
    Mark("zoho-quote", MarkKind.QUOTE, "div.zmail_extra"),
    Mark("cite-prefix", MarkKind.ATTRIBUTION, "div.moz-cite-prefix, #reply-intro"),
    Mark("thunderbird-forward", MarkKind.FORWARD, "div.moz-forward-container"),
    Mark("thunderbird-signature", MarkKind.SIGNATURE, ".moz-signature"),
    # Outlook marks quotes by an id on the web and phones, by other ids in the new Outlook and on Mac, and by the colour
    # of a line on the desktop.
    Mark("outlook-headers", MarkKind.HEADERS, "#divRplyFwdMsg, #x_divRplyFwdMsg, div.OutlookMessageHeader"),
    Mark("outlook-container", MarkKind.QUOTE, "#mail-editor-reference-message-container"),
    Mark("outlook-mac", MarkKind.QUOTE, "#OLK_SRC_BODY_SECTION"),
    Mark(
        "outlook-rule",
        MarkKind.HEADERS,
        'div[style*="border-top:solid #e1e1e1" i], div[style*="border-top:solid #b5c4df" i], '
        'div[style*="border-top: solid #e1e1e1" i], div[style*="border-top: solid #b5c4df" i], '
        'div[style*="solid rgb(225, 225, 225)" i], div[style*="solid rgb(181, 196, 223)" i]',
    ),
    Mark(
        "outlook-signature",
        MarkKind.SIGNATURE,
        "#Signature, #ms-outlook-mobile-signature, #x_Signature, #x_ms-outlook-mobile-signature, "
        "#ms-outlook-ios-signature, #Signature-Container",
    ),
    Mark("apple-signature", MarkKind.SIGNATURE, "#AppleMailSignature, .AppleMailSignature"),
    Mark("samsung-signature", MarkKind.SIGNATURE, "#composer_signature, div.k9mail-signature"),
    Mark("zimbra-headers", MarkKind.HEADERS, 'div[data-marker="__HEADERS__"]'),
    Mark("zimbra-quote", MarkKind.QUOTE, 'div[data-marker="__QUOTED_TEXT__"]'),
    # Webmail of GMX and web.de, NetEase, Front, Missive, Superhuman, Spark, Fastmail, eM Client.
    Mark(
        "webmail-quote",
        MarkKind.QUOTE,
        'div[name="quote"], #isReplyContent, .front-blockquote, .missive_quote, .sh-quoted-content, '
        'div[name="messageReplySection"], #qt.cite',
    ),
    Mark("groupwise-quote", MarkKind.QUOTE, "blockquote.GWQuote, div.GroupwiseReplyHeader"),
)

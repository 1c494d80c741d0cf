"""What mail clients write around quotes, in many languages: data, for the rules of `quotes` and `signatures`."""

from __future__ import annotations

ATTRIBUTION_ENDS = (
    "wrote:", "writes:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "ha scritto:", "escreveu:", "schreef:",
    "skrev:", "kirjoitti:", "napisał(a):", "napisał:", "napisała:", "napsal(a):", "napsal:", "написал(а):", "написал:",
    "пишет:", "написав:", "a scris:", "írta:", "şunu yazdı:", "έγραψε:", "כתב:", "كتب:", "書きました:", "작성:", "写道：", "写道:",
    "寫道：", "寫道:",
)  # fmt: skip
"""How the line above a quote ends, in lower case."""

ATTRIBUTION_MIDDLES = (
    " schrieb ", " schreef ", " skrev ", " kirjoitti ", " napisał ", " napisała ", " napsal ", " écrivait ", " escribió ",
    " wrote ", " írta ",
)  # fmt: skip
"""Where the name stands last, what stands before it; the line then ends in a colon."""

VERBS_BEFORE_NAMES = ("schrieb", "schreef", "skrev", "kirjoitti", "napisał(a)", "napisał", "napisała")
"""Of languages in which the name comes last: "Am 3. Mai 2026 um 10:00 schrieb Ann:"."""

ORIGINAL_MESSAGE = (
    "original message", "original appointment", "ursprüngliche nachricht", "originalnachricht", "message d'origine", "message original",
    "mensaje original", "messaggio originale", "mensagem original", "oorspronkelijk bericht", "oprindelig meddelelse",
    "ursprungligt meddelande", "opprinnelig melding", "alkuperäinen viesti", "oryginalna wiadomość", "wiadomość oryginalna",
    "původní zpráva", "исходное сообщение", "оригінальне повідомлення", "mesaj original", "eredeti üzenet", "özgün ileti",
    "orijinal mesaj", "αρχικό μήνυμα", "הודעה מקורית", "الرسالة الأصلية", "元のメッセージ", "원본 메시지", "원본 메일", "原始邮件",
    "原始郵件", "reply message",
)  # fmt: skip
"""Between dashes, above a quoted message."""

FORWARDED = (
    "forwarded message", "begin forwarded message", "weitergeleitete nachricht", "anfang der weitergeleiteten",
    "message transféré", "début du message", "mensaje reenviado", "inicio del mensaje", "messaggio inoltrato", "inizio messaggio",
    "mensagem encaminhada", "doorgestuurd bericht", "begin doorgestuurd", "videresendt", "vidarebefordrat", "videresendt melding",
    "välitetty viesti", "przekazana wiadomość", "wiadomość przekazana", "přeposlaná zpráva", "пересылаемое сообщение",
    "переслане повідомлення", "mesaj redirecționat", "továbbított üzenet", "iletilen", "yönlendirilmiş", "προωθημένο μήνυμα",
    "הודעה שהועברה", "رسالة معاد توجيهها", "転送されたメッセージ", "전달된 메시지", "转发的邮件", "轉寄的郵件", "转发邮件",
)  # fmt: skip
"""Somewhere in the line above a forwarded message. It is content."""

FORWARD_PREFIXES = (
    "fw:", "fwd:", "wg:", "tr:", "rv:", "i:", "enc:", "doorst:", "vs:", "vb:", "vl:", "pd:", "fs:", "пер:", "továbbítás:", "ilt:",
    "πρθ:", "הועבר:", "转发:", "轉寄:", "転送:", "전달:",
)  # fmt: skip
"""How the subject of a forwarded email begins."""

HEADER_LABELS = {
    "from": (
        "from", "von", "de", "da", "van", "fra", "från", "lähettäjä", "od", "от", "от кого", "від", "de la", "feladó", "kimden",
        "gönderen", "από", "מאת", "من", "差出人", "보낸 사람", "发件人", "寄件者",
    ),
    "sent": (
        "sent", "date", "gesendet", "datum", "envoyé", "enviado", "fecha", "inviato", "data", "enviada", "verzonden", "sendt", "dato",
        "skickat", "lähetetty", "päivämäärä", "wysłano", "wysłane", "odesláno", "отправлено", "дата", "надіслано", "trimis", "elküldve",
        "küldve", "tarih", "gönderildi", "ημερομηνία", "στάλθηκε", "נשלח", "تاريخ", "送信日時", "日付", "보낸 날짜", "发送时间", "寄件日期", "日期",
    ),
    "to": (
        "to", "an", "à", "para", "a", "aan", "til", "till", "vastaanottaja", "do", "komu", "кому", "către", "címzett", "kime", "προς",
        "אל", "إلى", "宛先", "받는 사람", "收件人", "收件者",
    ),
    "subject": (
        "subject", "betreff", "objet", "asunto", "oggetto", "assunto", "onderwerp", "emne", "ämne", "aihe", "temat", "předmět", "тема",
        "subiect", "tárgy", "konu", "θέμα", "נושא", "الموضوع", "件名", "제목", "主题", "主旨",
    ),
}  # fmt: skip
"""Labels of the header block that Outlook writes above a quote, by what they mean."""

MOBILE = (
    "sent from my iphone", "sent from my ipad", "sent from my mobile", "sent from my phone", "sent from my android",
    "sent from my samsung", "sent from my galaxy", "sent from my huawei", "sent from my blackberry", "sent from outlook for",
    "get outlook for", "sent from mail for windows", "sent from yahoo mail", "von meinem iphone gesendet", "von meinem ipad gesendet",
    "gesendet von meinem", "envoyé de mon iphone", "envoyé de mon ipad", "envoyé depuis mon", "enviado desde mi", "inviato da iphone",
    "inviato dal mio", "enviado do meu", "verstuurd vanaf mijn", "verzonden vanaf mijn", "sendt fra min", "skickat från min",
    "lähetetty iphonesta", "wysłane z iphone", "wysłano z", "odesláno z", "отправлено с iphone", "отправлено с моего",
    "надіслано з iphone", "trimis de pe", "iphone-omról küldve", "iphone'umdan gönderildi", "στάλθηκε από", "נשלח מה-iphone",
    "أُرسلت من", "iphoneから送信", "나의 iphone에서 보냄", "发自我的", "從我的",
)  # fmt: skip
"""How the last line of an email written on a phone begins, in lower case."""

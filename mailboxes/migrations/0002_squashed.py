"""All changes since the oldest version that can be upgraded, commit 58a28db.

That version stored an error as its whole text. This migration stores the kind of the error instead, and keeps only the
detail, such as the response of the server.
"""

from django.db import migrations, models

from integrations.migrations._texts_before_kinds import detail_of, parted, whole


def take_apart(apps, schema_editor):
    Mailbox = apps.get_model("mailboxes", "Mailbox")
    # Many rows have the same text: one cause may have stopped hundreds of mailboxes.
    texts = Mailbox.objects.exclude(disabled_detail="").order_by().values_list("disabled_detail", flat=True).distinct()
    for text in list(texts):
        kind, detail = parted(text)
        Mailbox.objects.filter(disabled_detail=text).update(disabled_kind=kind, disabled_detail=detail)
    for row in apps.get_model("mailboxes", "Bucket").objects.exclude(held_detail=""):
        row.held_detail = detail_of(row.held_kind, row.held_detail)
        row.save(update_fields=["held_detail"])


def put_together(apps, schema_editor):
    Mailbox = apps.get_model("mailboxes", "Mailbox")
    told = (
        Mailbox.objects.exclude(disabled_kind="").order_by().values_list("disabled_kind", "disabled_detail").distinct()
    )
    for kind, detail in list(told):
        same = Mailbox.objects.filter(disabled_kind=kind, disabled_detail=detail)
        same.update(disabled_detail=whole(kind, detail))
    for row in apps.get_model("mailboxes", "Bucket").objects.exclude(held_kind=""):
        row.held_detail = whole(row.held_kind, row.held_detail)
        row.save(update_fields=["held_detail"])


class Migration(migrations.Migration):
    replaces = [("mailboxes", "0005_kinds")]

    dependencies = [
        ("integrations", "0002_squashed"),
        ("mailboxes", "0001_squashed"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailbox",
            name="disabled_kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The kind of the error that disabled the mailbox.",
                max_length=64,
            ),
        ),
        migrations.RunPython(take_apart, put_together),
    ]

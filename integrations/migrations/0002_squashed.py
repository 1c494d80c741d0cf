"""All changes since the oldest version that can be upgraded, commit 58a28db.

That version stored an error as its whole text. This migration stores the kind of the error instead, and keeps only the
detail, such as the response of the server. It also binds each stored secret to the place that its row describes.
"""

from django.db import migrations, models

from integrations import binding
from integrations.migrations._texts_before_kinds import detail_of, parted, whole

HELD = (("integrations", "Integration"), ("integrations", "Destination"))


def take_apart(apps, schema_editor):
    for row in apps.get_model("integrations", "Integration").objects.exclude(disabled_detail=""):
        row.disabled_kind, row.disabled_detail = parted(row.disabled_detail)
        row.save(update_fields=["disabled_kind", "disabled_detail"])
    for model in HELD:
        for row in apps.get_model(*model).objects.exclude(held_detail=""):
            row.held_detail = detail_of(row.held_kind, row.held_detail)
            row.save(update_fields=["held_detail"])


def put_together(apps, schema_editor):
    for row in apps.get_model("integrations", "Integration").objects.exclude(disabled_kind=""):
        row.disabled_detail = whole(row.disabled_kind, row.disabled_detail)
        row.save(update_fields=["disabled_detail"])
    for model in HELD:
        for row in apps.get_model(*model).objects.exclude(held_kind=""):
            row.held_detail = whole(row.held_kind, row.held_detail)
            row.save(update_fields=["held_detail"])


BINDS = {
    "Integration": (binding.INTEGRATION_FIELDS, binding.places_of_integration),
    "Destination": (binding.DESTINATION_FIELDS, binding.places_of_destination),
}


def bind(apps, schema_editor):
    """Bind each stored secret. This needs no encryption key, because no secret is decrypted."""
    for name, (fields, places_of) in BINDS.items():
        model = apps.get_model("integrations", name)
        for row in model.objects.all():
            places = places_of({field: getattr(row, field) for field in fields})
            found = {secret: place for secret, place in places.items() if getattr(row, secret)}
            model.objects.filter(pk=row.pk).update(bindings=found)


class Migration(migrations.Migration):
    replaces = [("integrations", "0006_kinds"), ("integrations", "0007_secret_bindings")]

    dependencies = [
        ("integrations", "0001_squashed"),
    ]

    operations = [
        migrations.AddField(
            model_name="destination",
            name="bindings",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where each secret may be sent: the place that it was entered for.",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="disabled_kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="The kind of the error that disabled it.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="bindings",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where each secret may be sent: the place that it was entered for.",
            ),
        ),
        migrations.AlterField(
            model_name="integration",
            name="disabled_detail",
            field=models.TextField(
                blank=True,
                editable=False,
                help_text="The error message of the server. If the kind is blank: why the integration is stopped, as text for users.",
            ),
        ),
        migrations.RunPython(take_apart, put_together),
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]

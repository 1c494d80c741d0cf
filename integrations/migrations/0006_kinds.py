"""What disabled or holds something is told by its kind; what the other side said stands beside it, and no sentence of ours."""

from django.db import migrations, models

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


class Migration(migrations.Migration):
    dependencies = [("integrations", "0005_disabled_at")]

    operations = [
        migrations.AddField(
            model_name="integration",
            name="disabled_kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Of the error that disabled it.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="integration",
            name="disabled_detail",
            field=models.TextField(
                blank=True,
                editable=False,
                help_text="What the other side said then; without a kind: why it is stopped, in words.",
            ),
        ),
        migrations.RunPython(take_apart, put_together),
    ]

"""Why an email is set aside is told by its kind; the reason is only what the other side said."""

from django.db import migrations, models

OF_STAGE = {
    "fetch": "unreadable",
    "transform": "not_convertible",
    "push": "refused",
    "worker": "ended_workers",
    "gone": "vanished",
}
# As the version before wrote them. Frozen: never change them.
NESTED, NO_DATE = "nested_too_deep: it has more parts within parts than can be read", "no_date: it bears neither a date nor a time of arrival"
ENDED, VANISHED = "It ended the worker again and again.", "It was listed, and is not there."
OF_REASON = {NESTED: "nested_too_deep", NO_DATE: "no_date", ENDED: "ended_workers", VANISHED: "vanished"}


def name_kinds(apps, schema_editor):
    emails = apps.get_model("sync", "SetAsideEmail").objects
    for stage, kind in OF_STAGE.items():
        emails.filter(stage=stage).update(kind=kind)
    for reason, kind in OF_REASON.items():
        emails.filter(reason=reason).update(kind=kind, reason="")


def write_reasons(apps, schema_editor):
    emails = apps.get_model("sync", "SetAsideEmail").objects
    for reason, kind in OF_REASON.items():
        emails.filter(kind=kind, reason="").update(reason=reason)


class Migration(migrations.Migration):
    dependencies = [("sync", "0013_turns_of_folders")]

    operations = [
        migrations.AddField(
            model_name="setasideemail",
            name="kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="See integrations.set_aside. Decides; the reason does not.",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="setasideemail",
            name="reason",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What the other side said of it: a code or a few words.",
                max_length=512,
            ),
        ),
        migrations.RunPython(name_kinds, write_reasons),
    ]

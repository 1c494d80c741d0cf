"""All changes since commit 58a28db: more kinds of notices."""

from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("notices", "0003_more_kinds")]

    dependencies = [
        ("notices", "0001_squashed"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("integration_disabled", "Integration disabled"),
                    ("integration_recovered", "Integration recovered"),
                    ("mailbox_disabled", "Mailbox disabled"),
                    ("mailbox_recovered", "Mailbox recovered"),
                    ("folder_left_out", "Folder cannot be read"),
                    ("folder_recovered", "Folder can be read again"),
                    ("email_set_aside", "Emails failed"),
                    ("slow_emails", "Emails exceed the conversion deadline"),
                    ("budget_reached", "Monthly AI unit limit reached"),
                    ("standing_still", "Standstill"),
                    ("going_on", "Standstill over"),
                ],
                max_length=32,
            ),
        ),
    ]

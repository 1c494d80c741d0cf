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
                    ("folder_left_out", "Folder left out"),
                    ("folder_recovered", "Folder recovered"),
                    ("email_set_aside", "Emails set aside"),
                    ("slow_emails", "Emails that take too long"),
                    ("budget_reached", "Budget reached"),
                    ("standing_still", "Standing still"),
                    ("going_on", "Going on"),
                ],
                max_length=32,
            ),
        ),
    ]

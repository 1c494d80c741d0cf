"""Rename the model to a standard term. The table keeps its name, so nothing is copied."""

from django.db import migrations

from integrations.migrations._renamed_models import DEPENDENCIES, rename_permissions


class Migration(migrations.Migration):
    dependencies = [("notices", "0002_squashed"), *DEPENDENCIES]
    operations = [
        migrations.AlterModelTable("notice", "notices_notice"),
        migrations.RenameModel("Notice", "Notification"),
        rename_permissions("notices", {"notice": ("notification", "notification")}),
    ]

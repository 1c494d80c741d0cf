"""Rename the model to a standard term. The table keeps its name, so nothing is copied."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notices", "0002_squashed")]
    operations = [
        migrations.AlterModelTable("notice", "notices_notice"),
        migrations.RenameModel("Notice", "Notification"),
    ]

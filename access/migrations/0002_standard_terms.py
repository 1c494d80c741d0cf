"""Rename the model to a standard term. The table keeps its name, so nothing is copied."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0001_squashed")]
    operations = [migrations.AlterModelTable("act", "access_act"), migrations.RenameModel("Act", "AuditEntry")]

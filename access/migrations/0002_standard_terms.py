"""Rename the model to a standard term. The table keeps its name, so nothing is copied."""

from django.db import migrations

from integrations.migrations._renamed_models import DEPENDENCIES, rename_permissions


class Migration(migrations.Migration):
    dependencies = [("access", "0001_squashed"), *DEPENDENCIES]
    operations = [
        migrations.AlterModelTable("act", "access_act"),
        migrations.RenameModel("Act", "AuditEntry"),
        rename_permissions("access", {"act": ("auditentry", "audit entry")}),
    ]

"""Rename the models to standard terms. The tables keep their names, so nothing is copied."""

from django.db import migrations

from integrations.migrations._renamed_models import DEPENDENCIES, rename_permissions


class Migration(migrations.Migration):
    dependencies = [("sync", "0002_squashed"), *DEPENDENCIES]
    operations = [
        migrations.AlterModelTable("copy", "sync_copy"),
        migrations.AlterModelOptions("copy", {}),
        migrations.RenameModel("Copy", "MailboxItem"),
        migrations.AlterModelTable("setasideemail", "sync_setasideemail"),
        migrations.RenameModel("SetAsideEmail", "DeadLetter"),
        rename_permissions(
            "sync", {"copy": ("mailboxitem", "mailbox item"), "setasideemail": ("deadletter", "dead letter")}
        ),
    ]

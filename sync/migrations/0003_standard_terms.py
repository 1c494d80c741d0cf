"""Rename the models to standard terms. The tables keep their names, so nothing is copied."""

from django.db import migrations, models

from integrations.migrations._renamed_models import DEPENDENCIES, rename_permissions


def _related_to(model: str) -> models.ForeignKey:
    return models.ForeignKey(model, on_delete=models.CASCADE, related_name="dead_letters")


class Migration(migrations.Migration):
    dependencies = [("sync", "0002_squashed"), *DEPENDENCIES]
    operations = [
        migrations.AlterModelTable("copy", "sync_copy"),
        migrations.AlterModelOptions("copy", {}),
        migrations.RenameModel("Copy", "MailboxItem"),
        migrations.AlterModelTable("setasideemail", "sync_setasideemail"),
        migrations.RenameModel("SetAsideEmail", "DeadLetter"),
        migrations.AlterField("deadletter", "mailbox", _related_to("mailboxes.mailbox")),
        migrations.AlterField("deadletter", "folder", _related_to("sync.syncedfolder")),
        rename_permissions(
            "sync", {"copy": ("mailboxitem", "mailbox item"), "setasideemail": ("deadletter", "dead letter")}
        ),
    ]

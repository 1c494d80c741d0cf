"""Rename the models to standard terms. The tables keep their names, so nothing is copied."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sync", "0002_squashed")]
    operations = [
        migrations.AlterModelTable("copy", "sync_copy"),
        migrations.RenameModel("Copy", "MailboxItem"),
        migrations.AlterModelTable("setasideemail", "sync_setasideemail"),
        migrations.RenameModel("SetAsideEmail", "DeadLetter"),
    ]

"""All changes since commit 58a28db.

Emails that are set aside told the reason by its whole text. They get a kind, and keep only what the other side said.
"""

import django.db.models.deletion
from django.db import migrations, models

import mailboxes.rules_versions

OF_STAGE = {
    "fetch": "unreadable",
    "transform": "not_convertible",
    "push": "refused",
    "worker": "ended_workers",
    "gone": "vanished",
}
# As the version before wrote them. Frozen: never change them.
NESTED, NO_DATE = (
    "nested_too_deep: it has more parts within parts than can be read",
    "no_date: it bears neither a date nor a time of arrival",
)
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
    replaces = [
        ("sync", "0013_turns_of_folders"),
        ("sync", "0014_set_aside_kind"),
        ("sync", "0015_set_aside_at_the_deadline"),
        ("sync", "0016_processes"),
        ("sync", "0017_folders_that_cannot_be_read"),
        ("sync", "0018_learned_of_a_mailbox"),
        ("sync", "0019_refused_alone_and_accounts"),
        ("sync", "0020_folder_classes_and_folders_not_found"),
        ("sync", "0021_folder_totals"),
        ("sync", "0022_what_newer_rules_want"),
        ("sync", "0023_poll_rates"),
        ("sync", "0024_comments_that_were_not_known"),
        ("sync", "0025_properties_of_comments"),
    ]

    dependencies = [
        ("mailboxes", "0002_squashed"),
        ("sync", "0001_squashed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Process",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="A random name, chosen when the process starts.",
                        max_length=32,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(choices=[("worker", "Worker"), ("beat", "Beat")], max_length=16)),
                ("host", models.CharField(help_text="The host name.", max_length=255)),
                ("node", models.CharField(help_text="The name on pages and in logs: celery@host.", max_length=255)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "broker",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("away", "It does not answer"),
                            ("refuses", "It answers but accepts no messages: it is full or read-only"),
                        ],
                        help_text="Why it cannot use the broker. Blank: it can.",
                        max_length=16,
                    ),
                ),
                ("broker_since", models.DateTimeField(null=True)),
                (
                    "busy_since",
                    models.DateTimeField(
                        help_text="Of a worker: since when all of its slots have been busy with their present tasks.", null=True
                    ),
                ),
                (
                    "unreadable",
                    models.JSONField(
                        default=list,
                        help_text="The owners of the secrets that it cannot decrypt, such as integration:1 or destination:2.",
                    ),
                ),
                ("unreadable_since", models.DateTimeField(null=True)),
                (
                    "fault",
                    models.CharField(
                        blank=True,
                        help_text="The kind of product error because of which it takes no mailboxes.",
                        max_length=64,
                    ),
                ),
                ("fault_since", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "processes",
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="A keyed digest of the account and its server.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "refused",
                    models.JSONField(
                        default=list,
                        help_text="For each refused sign-in and each counted attempt that runs: the time, and a keyed digest of the secret.",
                    ),
                ),
                ("began_at", models.DateTimeField(help_text="When the first of these sign-ins was refused.")),
                (
                    "doubted",
                    models.BooleanField(
                        default=False, help_text="The account may be at fault, so all attempts to sign in with it are counted."
                    ),
                ),
                ("until", models.DateTimeField(help_text="The time until which the last refused sign-in counts.")),
            ],
        ),
        migrations.CreateModel(
            name="ReportedItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "folder_id", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.BigIntegerField(help_text="Digest of the item id.")),
                (
                    "folder",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sync.syncedfolder",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RulesTakenUp",
            fields=[
                ("version", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "rules taken up",
            },
        ),
        migrations.CreateModel(
            name="NewlyWanted",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="The comment_id of its mailbox items: see sync.engine.newly_wanted.key_of.",
                        max_length=1024,
                    ),
                ),
                (
                    "version",
                    models.PositiveSmallIntegerField(
                        help_text="The version of the fixed rules on which an administrator has to decide. 0: it is delivered at once."
                    ),
                ),
                ("draft", models.BooleanField(default=False, help_text="It is marked as a draft.")),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Attempts at its delivery that ended without a recorded result."
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="newly_wanted", to="mailboxes.mailbox"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("mailbox", "key"), name="newly_wanted_unique_in_mailbox")
                ],
            },
        ),
        migrations.CreateModel(
            name="RulesAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveSmallIntegerField()),
                ("bring", models.BooleanField()),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=150)),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rules_answers",
                        to="mailboxes.mailbox",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("mailbox", "version"), name="rules_answer_unique")],
            },
        ),
        migrations.CreateModel(
            name="PollRate",
            fields=[
                ("at", models.DateTimeField(help_text="The end of the measured time.", primary_key=True, serialize=False)),
                (
                    "needed",
                    models.FloatField(
                        help_text="Polls per second that the poll intervals of the mailboxes that are up to date require."
                    ),
                ),
                ("done", models.FloatField(help_text="Finished syncs per second.")),
            ],
        ),
        migrations.CreateModel(
            name="Renewal",
            fields=[
                (
                    "bucket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="renewal",
                        serialize=False,
                        to="mailboxes.bucket",
                    ),
                ),
                ("next_at", models.DateTimeField(help_text="When the renewal continues.")),
                (
                    "cursor",
                    models.BigIntegerField(
                        default=0,
                        help_text="Primary key of the ledger entry that was processed last. Starts again at 0 after the last entry.",
                    ),
                ),
                (
                    "most",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="Maximum number of comments in the next batch."
                    ),
                ),
                (
                    "left",
                    models.PositiveBigIntegerField(
                        help_text="Number of comments that may lack a property. Empty: not counted.", null=True
                    ),
                ),
                (
                    "renewed",
                    models.PositiveBigIntegerField(default=0, help_text="Number of comments that were updated."),
                ),
                (
                    "held_back",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="Number of comments that are not updated, because Re:infer could bill the update.",
                    ),
                ),
                (
                    "halted_at",
                    models.DateTimeField(
                        help_text="When Re:infer reported that an update changed a text. No update is pushed after that.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="comparison",
            name="server_run",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Identifies the run of the database server during the comparison.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="surplus",
            field=models.PositiveBigIntegerField(
                help_text="Number of comments in the bucket that are not in the ledger.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="surplus_since",
            field=models.DateTimeField(
                help_text="When the surplus was found. Empty: there is none, or an administrator accepted it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="copy",
            name="comment_id",
            field=models.CharField(
                blank=True,
                help_text="Comment id from the MIME header, after the email was fetched. For a newly wanted email: NewlyWanted.key.",
                max_length=1024,
            ),
        ),
        migrations.AlterField(
            model_name="copy",
            name="verdict",
            field=models.CharField(
                help_text="delivered, set_aside, newly_wanted, or why it is not wanted", max_length=32
            ),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="properties_version",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="The version of the set of properties with which it was pushed: see sync.jobs.property_renewal. 0: old or unknown.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="pass_began",
            field=models.PositiveBigIntegerField(default=1, help_text="The round in which the current pass began."),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="round",
            field=models.PositiveBigIntegerField(
                default=1, help_text="The current round: see sync.engine.folder_order."
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="learned",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="A fact about the mailbox that its source learned: see integrations.ports.Learner.",
                max_length=32,
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="refused_alone",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its sign-in was refused, and another mailbox has signed in since with the same credentials.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="tree_version",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="The version of integrations.folder_classes with which its folder tree was last read.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="whole_tree_at",
            field=models.DateTimeField(
                help_text="When the whole folder tree is requested again, with totals. Empty: at the next sync.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="looked_for",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=mailboxes.rules_versions.current,
                help_text="The version of the fixed rules for which all of its folders that can be read were rescanned.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="rules",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=mailboxes.rules_versions.current,
                help_text="The version of the fixed rules with which it is synced: see sync.jobs.rules_upgrade.",
            ),
        ),
        migrations.AlterField(
            model_name="mailboxstate",
            name="up_to_date",
            field=models.BooleanField(
                default=False,
                help_text="Every folder that can be read was read to its end. Folders may be left out.",
            ),
        ),
        migrations.AddField(
            model_name="setasideemail",
            name="kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="See integrations.dead_letter_reasons. Decisions depend on the kind and the stage, not on the reason.",
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
                help_text="What Exchange or Re:infer reported: a code or a few words.",
                max_length=512,
            ),
        ),
        migrations.AlterField(
            model_name="setasideemail",
            name="retry_at",
            field=models.DateTimeField(
                help_text="Empty: it is settled, or only a user or a newer version of this product retries it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="setasideemail",
            name="stage",
            field=models.CharField(help_text="fetch, transform, deadline, push, worker, gone or again", max_length=16),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="listing",
            field=models.BooleanField(
                default=False, help_text="It is being listed from its beginning, and the listing has not ended."
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="turn",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="The last round in which it had its turn: see sync.engine.folder_order. 0: none since its listing began.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="attempt_of",
            field=models.UUIDField(
                help_text="The token of the lease under which the last attempt was started.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="left_out",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="It cannot be read, other folders can, and its mail is wanted.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_attempts",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Refused attempts in a row. Reset by a request of a user, and by a change of the filters.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_detail",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The error code that the server returned.",
                max_length=512,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The kind of the error, while it cannot be read.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_since",
            field=models.DateTimeField(
                help_text="Since when it cannot be read: see sync.engine.folder_refusals.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="retry_at",
            field=models.DateTimeField(
                help_text="When it is tried again after a refusal. Empty: at the next sync.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="told_of",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A notification has reported that it is left out."
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="folder_class",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Blank if the folder has no class, or if the server reports none.",
                max_length=255,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="hidden",
            field=models.BooleanField(db_default=False, default=False, help_text="Mail clients do not show it."),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="not_found",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The server did not find it at the last attempt, although the folder tree contained it.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="counted",
            field=models.IntegerField(
                help_text="Number of items in it according to change reports. Empty: not listed from its beginning since counts exist.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="doubted_difference",
            field=models.IntegerField(help_text="That total minus the count at that time.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="doubted_total",
            field=models.IntegerField(
                help_text="The total that differs from the count, while the difference is investigated.", null=True
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="to_compare",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The total is new and was not compared yet: see sync.engine.folder_totals.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="usual_difference",
            field=models.IntegerField(
                db_default=0,
                default=0,
                help_text="The total minus the count, if listing the folder again did not change the difference.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="look_cursor",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="The cursor of its rescan: see sync.engine.rescan.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="looked_through",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                help_text="The version of the fixed rules with which it was listed from beginning to end, or counts as rescanned.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="read_since",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="The first version of the fixed rules with which it is read."
            ),
        ),
        migrations.AlterField(
            model_name="syncedfolder",
            name="holds_mail",
            field=models.BooleanField(default=True, help_text="Whether it is read: see integrations.folder_classes."),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="worker",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="The name of the worker process of the run: see sync.jobs.processes.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="left_out",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Folders that could not be read. Emails in them were not compared."
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="folders",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Wanted folders that were read to their end in Exchange."
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="withheld",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Newly wanted, and not delivered: an administrator has not decided, or chose to leave them.",
            ),
        ),
        migrations.AddIndex(
            model_name="syncedfolder",
            index=models.Index(condition=models.Q(("left_out", True)), fields=["mailbox"], name="folder_left_out"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("properties_version__lt", 1)), fields=["bucket", "id"], name="entry_incomplete"
            ),
        ),
        migrations.RunPython(name_kinds, write_reasons),
    ]

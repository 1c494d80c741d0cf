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
                        help_text="Drawn when it started.", max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("worker", "Worker"), ("beat", "Beat")], max_length=16)),
                ("host", models.CharField(help_text="As this host calls itself.", max_length=255)),
                ("node", models.CharField(help_text="How people call it: celery@host.", max_length=255)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                (
                    "broker",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("away", "It does not answer"),
                            ("refuses", "It answers, and takes nothing: it is full or read-only"),
                        ],
                        help_text="Why it cannot use the broker.",
                        max_length=16,
                    ),
                ),
                ("broker_since", models.DateTimeField(null=True)),
                (
                    "busy_since",
                    models.DateTimeField(
                        help_text="Of a worker: since when each of its slots has had the task that it has.", null=True
                    ),
                ),
                (
                    "unreadable",
                    models.JSONField(
                        default=list, help_text="Secrets that it cannot decrypt: integration:1, destination:2."
                    ),
                ),
                ("unreadable_since", models.DateTimeField(null=True)),
                (
                    "fault",
                    models.CharField(
                        blank=True, help_text="The kind of fault for which it takes no mailboxes.", max_length=64
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
                        help_text="A keyed digest of who signs in where.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "refused",
                    models.JSONField(
                        default=list, help_text="When, with which secret (a keyed digest), and by whom if not over."
                    ),
                ),
                ("began_at", models.DateTimeField(help_text="The first of them.")),
                (
                    "doubted",
                    models.BooleanField(
                        default=False, help_text="Nobody has signed in anew since with the same secret."
                    ),
                ),
                ("until", models.DateTimeField(help_text="How long the last of them counts.")),
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
                ("key", models.BigIntegerField(help_text="Digest of its id.")),
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
                        help_text="What its copies have for a comment id: see sync.engine.newly_wanted.key_of.", max_length=1024
                    ),
                ),
                (
                    "version",
                    models.PositiveSmallIntegerField(
                        help_text="Of the rules, whose answer it waits for. 0: it comes at once."
                    ),
                ),
                ("draft", models.BooleanField(default=False, help_text="It is marked as a draft.")),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="To bring it, without a word of how that ended."
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
                ("at", models.DateTimeField(help_text="The end of that minute.", primary_key=True, serialize=False)),
                ("needed", models.FloatField(help_text="By the intervals of the mailboxes that are up to date.")),
                ("done", models.FloatField(help_text="Syncs that came to their end.")),
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
                ("next_at", models.DateTimeField(help_text="When it goes on.")),
                (
                    "cursor",
                    models.BigIntegerField(
                        default=0, help_text="The entry that was last taken; it begins anew at the end."
                    ),
                ),
                ("most", models.PositiveSmallIntegerField(default=1, help_text="How many comments are taken at once.")),
                (
                    "left",
                    models.PositiveBigIntegerField(
                        help_text="Comments that may lack a property. Empty: not counted.", null=True
                    ),
                ),
                ("renewed", models.PositiveBigIntegerField(default=0, help_text="Comments that were updated.")),
                (
                    "held_back",
                    models.PositiveBigIntegerField(
                        default=0, help_text="Comments that stay as they are, because an update could have been billed."
                    ),
                ),
                (
                    "halted_at",
                    models.DateTimeField(
                        help_text="When Re:infer said that an update changed a text: no more.", null=True
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
                help_text="Of the database server, at the comparison.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="surplus",
            field=models.PositiveBigIntegerField(
                help_text="So many comments were found that we did not know.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="comparison",
            name="surplus_since",
            field=models.DateTimeField(help_text="When they were found, until an admin accepts them.", null=True),
        ),
        migrations.AlterField(
            model_name="copy",
            name="comment_id",
            field=models.CharField(
                blank=True,
                help_text="Comment id by the MIME header, once fetched; of what is newly wanted the key of its NewlyWanted.",
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
                help_text="Of the set of properties that it was sent with: see sync.jobs.property_renewal. 0: an old one, or not known.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="pass_began",
            field=models.PositiveBigIntegerField(default=1, help_text="The round in which the pass in hand began."),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="round",
            field=models.PositiveBigIntegerField(default=1, help_text="Of turns of its folders: see sync.engine.folder_order."),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="learned",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What its source found out about it: see integrations.ports.Learner.",
                max_length=32,
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="refused_alone",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Its sign-in is refused while a neighbour signed in anew since, with the same credentials.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="tree_version",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="The version of integrations.folder_classes by which its tree was last told.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="whole_tree_at",
            field=models.DateTimeField(
                help_text="When all folders are asked for again, with their totals. Empty: at the next sync.", null=True
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="looked_for",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=mailboxes.rules_versions.current,
                help_text="The version for which all of its folders were looked through.",
            ),
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="rules",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=mailboxes.rules_versions.current,
                help_text="The version of the fixed rules that it is synced by: see sync.jobs.rules_upgrade.",
            ),
        ),
        migrations.AlterField(
            model_name="mailboxstate",
            name="up_to_date",
            field=models.BooleanField(
                default=False,
                help_text="Every folder that can be read was read to its end. One may be left out beside that.",
            ),
        ),
        migrations.AddField(
            model_name="setasideemail",
            name="kind",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="See integrations.dead_letter_reasons. Decides; the reason does not.",
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
                help_text="What the other side said of it: a code or a few words.",
                max_length=512,
            ),
        ),
        migrations.AlterField(
            model_name="setasideemail",
            name="retry_at",
            field=models.DateTimeField(help_text="Empty: by hand or by a newer version only.", null=True),
        ),
        migrations.AlterField(
            model_name="setasideemail",
            name="stage",
            field=models.CharField(help_text="fetch, transform, deadline, push, worker or gone", max_length=16),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="listing",
            field=models.BooleanField(default=False, help_text="Being listed from its beginning; not yet through."),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="turn",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="The last round in which it had its turn: see sync.engine.folder_order. 0: not since its listing began.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="attempt_of",
            field=models.UUIDField(help_text="The lease under which the last of them was begun.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="left_out",
            field=models.BooleanField(
                db_default=False, default=False, help_text="It cannot be read, others can, and its mail is wanted."
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_attempts",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Tries in a row that were refused, since somebody last asked for one.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_detail",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="The code of the server.", max_length=512
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_kind",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Of the error, while it cannot be read.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="refused_since",
            field=models.DateTimeField(help_text="While it cannot be read: see sync.engine.folder_refusals.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="retry_at",
            field=models.DateTimeField(help_text="Of a folder that was refused. Empty: at the next sync.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="told_of",
            field=models.BooleanField(db_default=False, default=False, help_text="A notice told that it is left out."),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="folder_class",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Blank where there is none, or it is not told.",
                max_length=255,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="hidden",
            field=models.BooleanField(db_default=False, default=False, help_text="No mail client shows it."),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="not_found",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The server said so when it was last read, though it was in the tree.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="counted",
            field=models.IntegerField(
                help_text="Items that its change reports say are in it. Empty: not counted since its listing began.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="doubted_difference",
            field=models.IntegerField(help_text="That total without what was counted then.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="doubted_total",
            field=models.IntegerField(help_text="The total that did not fit, while that is looked into.", null=True),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="to_compare",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The total is new, and no change was read since: see sync.engine.folder_totals.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="usual_difference",
            field=models.IntegerField(
                db_default=0,
                default=0,
                help_text="The total without what is counted, where a new listing did not change it.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="look_cursor",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="How far it is looked through for the present one: see sync.engine.rescan.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="looked_through",
            field=models.PositiveSmallIntegerField(
                db_default=1,
                default=1,
                help_text="The version by which it was last listed from its beginning to its end.",
            ),
        ),
        migrations.AddField(
            model_name="syncedfolder",
            name="read_since",
            field=models.PositiveSmallIntegerField(
                db_default=1, default=1, help_text="The first version of the fixed rules by which it is read."
            ),
        ),
        migrations.AlterField(
            model_name="syncedfolder",
            name="holds_mail",
            field=models.BooleanField(default=True, help_text="See integrations.folder_classes."),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="worker",
            field=models.CharField(
                blank=True, db_default="", help_text="The process that runs it: see sync.jobs.processes.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="left_out",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Folders that could not be read; what is in them was not compared."
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="folders",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Wanted, and read to their end in Exchange."
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="withheld",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Wanted by newer rules, and neither brought nor left for good."
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

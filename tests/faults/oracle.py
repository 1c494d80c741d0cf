"""The conditions that must hold at the end of a simulation. They are checked with the story and the simulators only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from simulators.reinfer import ReinferSimulator
from tests.faults.story import Story, StoryEmail

ABOUT = re.compile(r"\AAbout (m\d+)")


def complaints(
    story: Story, reinfer: ReinferSimulator, bucket: tuple[str, str], aside: Collection[str], *, places: bool = True
) -> list[str]:
    """Return the violated conditions.

    Args:
        story: The story.
        reinfer: The simulated Re:infer.
        bucket: Project and name of the bucket.
        aside: Names of emails that need not be comments, such as dead letters with a reason.
        places: Whether `Folder` and `Mailbox` of each comment must name a current mailbox item of its email. After a restore
            from a backup, this is not checked, because the ledger may contain an older state.
    """
    source = reinfer.sources[bucket]
    comments_by_name: dict[str, list[Any]] = {}
    for comment in source.comments.values():
        comments_by_name.setdefault(_name(comment.content), []).append(comment)
    violations = [*_billing_violations(source), *_unknown_comments(comments_by_name, story)]
    for name, email in story.emails.items():
        violations += _email_violations(email, comments_by_name.get(name, []), story, aside, places=places)
    for comment in source.comments.values():
        if comment.properties.get("string:Mailbox ID") != comment.properties["string:Mailbox"]:
            violations.append(f"{_name(comment.content)} does not have its mailbox in both properties")
    return violations


def _billing_violations(source: Any) -> Iterator[str]:
    if source.ai_units != len(source.comments):
        yield f"{source.ai_units} AI units for {len(source.comments)} comments"
    if source.text_changes or source.messages_changed:
        yield f"{source.text_changes} texts and {source.messages_changed} messages changed"


def _unknown_comments(comments_by_name: dict[str, list[Any]], story: Story) -> Iterator[str]:
    for name in comments_by_name.keys() - story.emails.keys():
        yield f"a comment without an email: {name}"


def _email_violations(
    email: StoryEmail, comments: list[Any], story: Story, aside: Collection[str], *, places: bool
) -> Iterator[str]:
    current_places = story.places(email.name)
    must = story.must_arrive(email.name)
    if len(comments) > 1:
        yield f"{email.name} is {len(comments)} comments"
    if not comments:
        if must and email.name not in aside:
            yield f"{email.name} is lost: its items are in {current_places}"
        return
    if not email.ever_wanted:
        yield f"{email.name} was never wanted, and is a comment"
    comment = comments[0]
    if email.with_id and comment.id != email.message_id.encode().hex():
        yield f"{email.name} has the id {comment.id}"
    if comment.content["messages"][0]["subject"]["text"] not in email.subjects:
        yield f"{email.name} has a subject that it never had"
    if email.name in aside or email.copies_deleted or not places:
        return
    if not email.with_id and not must:
        # Without a Message-ID, an email is recognized only by arrival time and size. This fails after two moves between skipped
        # folders.
        return
    place = (comment.properties["string:Mailbox"], comment.properties["string:Folder"])
    if place not in current_places:
        yield f"the comment of {email.name} names {place}, but its items are in {current_places}"


def _name(content: Any) -> str:
    match = ABOUT.match(content["messages"][0].get("subject", {}).get("text", ""))
    return match[1] if match else "without a subject"

"""What must be true when the dust has settled, whatever happened before. Knows the story and the two simulators only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from simulators.reinfer import ReinferSimulator
from tests.faults.story import Story, Told

ABOUT = re.compile(r"\AAbout (m\d+)")


def complaints(
    story: Story, reinfer: ReinferSimulator, bucket: tuple[str, str], aside: Collection[str], *, places: bool = True
) -> list[str]:
    """Everything that is not as it must be. `aside`: the names of emails that are set aside, with a reason. `places`: whether
    each comment must say where its email lies: a database that came from a backup may take it to say so already."""
    source = reinfer.sources[bucket]
    held: dict[str, list[Any]] = {}
    for comment in source.comments.values():
        held.setdefault(_name(comment.content), []).append(comment)
    found = [*_bill(source), *_strangers(held, story)]
    for name, told in story.emails.items():
        found += _complaints_of(told, held.get(name, []), story, aside, places=places)
    for comment in source.comments.values():
        if comment.properties.get("string:Mailbox ID") != comment.properties["string:Mailbox"]:
            found.append(f"{_name(comment.content)} does not bear its mailbox under both names")
    return found


def _bill(source: Any) -> Iterator[str]:
    if source.ai_units != len(source.comments):
        yield f"{source.ai_units} AI units for {len(source.comments)} comments"
    if source.text_changes or source.messages_changed:
        yield f"{source.text_changes} texts and {source.messages_changed} messages changed"


def _strangers(held: dict[str, list[Any]], story: Story) -> Iterator[str]:
    for name in held.keys() - story.emails.keys():
        yield f"a comment that no email stands behind: {name}"


def _complaints_of(
    told: Told, comments: list[Any], story: Story, aside: Collection[str], *, places: bool
) -> Iterator[str]:
    lies_at = story.places(told.name)
    must = story.must_arrive(told.name)
    if len(comments) > 1:
        yield f"{told.name} is {len(comments)} comments"
    if not comments:
        if must and told.name not in aside:
            yield f"{told.name} is lost: it lies at {lies_at}"
        return
    if not told.ever_wanted:
        yield f"{told.name} was never wanted, and is a comment"
    comment = comments[0]
    if told.with_id and comment.id != told.message_id.encode().hex():
        yield f"{told.name} has the id {comment.id}"
    if comment.content["messages"][0]["subject"]["text"] not in told.subjects:
        yield f"{told.name} has a subject that it never had"
    if told.name in aside or told.copies_deleted or not places:
        return
    if not told.with_id and not must:
        return  # known again by arrival and size, so not after two moves among folders that nothing is fetched from
    place = (comment.properties["string:Mailbox"], comment.properties["string:Folder"])
    if place not in lies_at:
        yield f"{told.name} is said to be in {place}, and lies at {lies_at}"


def _name(content: Any) -> str:
    match = ABOUT.match(content["messages"][0].get("subject", {}).get("text", ""))
    return match[1] if match else "without a subject"

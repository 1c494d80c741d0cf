"""The command `manage.py preview` for files, folders and files that cannot be converted."""

import json
import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversion import cleaning, transform
from tests.conversion.deadline.slow import MARK, planted
from tests.mails import comment_id_of, mail


def preview(*arguments):
    out = StringIO()
    call_command("preview", *map(str, arguments), stdout=out, stderr=StringIO())
    return out.getvalue()


def test_the_preview_of_a_file_is_the_comment_of_its_email(tmp_path):
    file = tmp_path / "a.eml"
    file.write_bytes(mail("a"))
    comment = json.loads(preview(file, "--mailbox", "desk@bank.example", "--folder", "Inbox/Trades"))
    assert comment["id"] == comment_id_of("a")
    assert comment["user_properties"]["string:Folder"] == "Inbox/Trades"


def test_the_preview_of_a_folder_has_a_line_for_each_file_and_a_sum(tmp_path):
    (tmp_path / "a.eml").write_bytes(mail("a"))
    (tmp_path / "junk.bin").write_bytes(bytes(range(256)) * 10)
    text = preview(tmp_path)
    assert "a.eml: comment" in text
    assert "1  comment" in text
    assert "no_email" in text


def test_the_json_output_has_one_line_for_each_file(tmp_path):
    (tmp_path / "a.eml").write_bytes(mail("a"))
    (tmp_path / "b.txt").write_bytes(b"a shopping list")
    lines = [json.loads(line) for line in preview(tmp_path, "--json").splitlines()]
    assert ["comment" in line for line in lines] == [True, False]
    assert "no_email" in lines[1]["rejection"]


def test_a_missing_file_is_named_in_the_error(tmp_path):
    with pytest.raises(CommandError, match=r"There is no file .*nothing\.eml"):
        preview(tmp_path / "nothing.eml")


def test_a_folder_without_an_email_is_an_error(tmp_path):
    (tmp_path / "junk").write_bytes(b"\x00\x01\x02")
    with pytest.raises(CommandError, match="No file could be converted to a comment"):
        preview(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="no file"):
        preview(tmp_path)


def test_each_file_has_its_line_in_the_output_even_if_another_file_fails(tmp_path, monkeypatch, settings):
    settings.CONVERSION_DEADLINE = timedelta(seconds=1)
    usual = planted(cleaning.clean)

    def clean(sections, subject, *given):
        if subject == "recursion":
            return clean(sections, subject, *given)
        if subject == "memory":
            raise MemoryError("the rent of Ann Field")
        return usual(sections, subject, *given)

    monkeypatch.setattr(transform, "clean", clean)
    for name, subject in [("a", "Rent"), ("b", MARK), ("c", "recursion"), ("d", "memory"), ("f", "Rent")]:
        (tmp_path / f"{name}.eml").write_bytes(mail(name, subject=subject))
    (tmp_path / "e.eml").symlink_to("/proc/self/mem")  # a file that can be opened, but not read
    lines = [json.loads(line) for line in preview(tmp_path, "--json").splitlines()]
    assert [line["file"][-5:] for line in lines] == ["a.eml", "b.eml", "c.eml", "d.eml", "e.eml", "f.eml"]
    results = [line.get("rejection", "a comment") for line in lines]
    assert [reason.partition(":")[0] for reason in results] == [
        "a comment",
        "conversion_deadline",
        "conversion_failed",
        "conversion_failed",
        "unreadable_file",
        "a comment",
    ]
    details = (
        "a comment",
        "longer than 1 s at",
        "RecursionError at",
        "MemoryError at",
        "Input/output error",
        "a comment",
    )
    assert all(detail in reason for detail, reason in zip(details, results, strict=True))


def test_a_file_name_that_is_not_valid_utf_8_is_shown_with_escapes(tmp_path):
    (tmp_path / os.fsdecode(b"a\xff.eml")).write_bytes(mail("a"))
    assert "a\\xff.eml: comment" in preview(tmp_path)


def test_the_command_fails_if_no_file_can_be_converted(tmp_path, monkeypatch):
    def broken(*given):
        raise ZeroDivisionError

    monkeypatch.setattr(transform, "clean", broken)
    (tmp_path / "a.eml").write_bytes(mail("a"))
    with pytest.raises(CommandError, match=r"conversion_failed: .* \(ZeroDivisionError at conversion\.transform:"):
        preview(tmp_path)

"""Each fault of the simulated Re:infer raises an error of the expected class. No comment is lost or billed twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations import errors
from integrations.reinfer.sink import ReinferSink
from simulators.reinfer import ADD_COMMENTS, DEFAULT_TOKEN, READ, ReinferSimulator, Token
from tests.contract.sink_rigs import BUCKET
from tests.integrations.reinfer.comments import comment

FAULTS: list[tuple[str, dict[str, object], type[errors.IntegrationError]]] = [
    ("busy", {}, errors.ReinferBusy),
    ("busy", {"retry_after": 7}, errors.ReinferBusy),
    ("failure", {"status": 500}, errors.ReinferFailed),
    ("failure", {"status": 503}, errors.ReinferFailed),
    ("failure", {"status": 409}, errors.ReinferFailed),
    ("bad-gateway", {}, errors.ReinferFailed),
    ("drop", {}, errors.ReinferFailed),
    ("taken-then-dropped", {}, errors.ReinferFailed),
    ("cut", {}, errors.ReinferFailed),
    ("hang", {}, errors.ReinferTimedOut),
    ("taken-then-hang", {}, errors.ReinferTimedOut),
    ("drip", {}, errors.ReinferTimedOut),
    ("error-as-ok", {}, errors.ReinferUnintelligible),
    ("ok-as-error", {}, errors.ReinferUnintelligible),
    ("empty", {}, errors.ReinferUnintelligible),
    ("garbage", {}, errors.ReinferUnintelligible),
    ("redirect", {}, errors.ReinferUnintelligible),
    ("quota", {}, errors.QuotaReached),
    ("quota", {"status": 422}, errors.QuotaReached),
    ("token-revoked", {}, errors.ReinferTokenRefused),
    ("forbidden", {}, errors.ReinferForbidden),
]
HANGS = ("hang", "taken-then-hang", "drip")


@pytest.fixture
def simulator() -> Iterator[ReinferSimulator]:
    reader = Token("only-reads-0123456789", permissions=frozenset({READ}))
    writer = Token("reads-and-writes-0123", permissions=frozenset({READ, ADD_COMMENTS}))
    with ReinferSimulator(tokens=[Token(DEFAULT_TOKEN), reader, writer], sources=[BUCKET]) as simulator:
        yield simulator


def sink_of(simulator: ReinferSimulator, *, token: str = DEFAULT_TOKEN, deadline: float = 15.0) -> ReinferSink:
    return ReinferSink(simulator.url, token, *BUCKET, deadline=deadline)


@pytest.mark.parametrize(("effect", "options", "kind"), FAULTS)
def test_each_fault_has_an_error_class_and_the_next_push_stores_all_comments(
    simulator: ReinferSimulator, effect: str, options: dict[str, Any], kind: type[errors.IntegrationError]
) -> None:
    comments = [comment(str(number)) for number in range(5)]
    simulator.faults.add(effect, operation="sync", times=1, **options)
    deadline = 0.7 if effect in HANGS else 15.0
    with sink_of(simulator, deadline=deadline) as sink, pytest.raises(errors.IntegrationError) as caught:
        sink.push(comments)
    assert type(caught.value) is kind
    with sink_of(simulator) as sink:
        sink.push(comments)
    source = simulator.sources[BUCKET]
    assert list(source.comments) == [one.id for one in comments]
    assert (source.ai_units, source.text_changes, source.messages_changed) == (5, 0, 0)


def test_a_wrong_token_is_reported_and_not_shown(simulator: ReinferSimulator) -> None:
    with (
        sink_of(simulator, token="a-wrong-token-0123456789") as sink,
        pytest.raises(errors.ReinferTokenRefused) as caught,
    ):
        sink.check()
    assert "a-wrong-token" not in str(caught.value)


def test_a_token_that_only_reads_passes_the_check_and_fails_at_the_push(simulator: ReinferSimulator) -> None:
    with sink_of(simulator, token="only-reads-0123456789") as sink:
        sink.check()
        with pytest.raises(errors.ReinferForbidden):
            sink.push([comment()])


def test_permissions_to_read_and_to_add_comments_are_sufficient(simulator: ReinferSimulator) -> None:
    with sink_of(simulator, token="reads-and-writes-0123") as sink:
        sink.check()
        assert sink.is_empty()
        sink.push([comment()])
        assert list(sink.stored([comment().id])) == [comment().id]


def test_without_the_path_of_the_endpoint_no_bucket_is_found(simulator: ReinferSimulator) -> None:
    bare = simulator.url.removesuffix(simulator.prefix)
    with ReinferSink(bare, DEFAULT_TOKEN, *BUCKET) as sink, pytest.raises(errors.BucketNotFound) as caught:
        sink.check()
    assert "path prefix" in str(caught.value)


def test_a_bucket_in_a_project_that_does_not_exist_cannot_be_created(simulator: ReinferSimulator) -> None:
    with ReinferSink(simulator.url, DEFAULT_TOKEN, "nobody", "mail") as sink, pytest.raises(errors.ProjectNotFound):
        sink.create()


def test_an_invalid_comment_is_rejected_with_the_rule_and_without_its_text(
    simulator: ReinferSimulator,
) -> None:
    long = comment("long", body="secret " * 10_000)
    with sink_of(simulator) as sink:
        receipt = sink.push([comment("1"), long, comment("2")])
    (rejection,) = receipt.rejections
    assert rejection.comment_id == long.id
    assert "65536" in rejection.reason
    assert "secret" not in rejection.reason
    assert list(simulator.sources[BUCKET].comments) == [comment("1").id, comment("2").id]


def test_requests_that_are_too_large_for_the_server_are_split() -> None:
    comments = [comment(str(number), body="x" * 20_000) for number in range(16)]
    with ReinferSimulator(sources=[BUCKET], body_limit=50_000) as simulator, sink_of(simulator) as sink:
        assert sink.push(comments).created == 16
        assert simulator.requests.count("sync") == 15


def test_requests_about_a_bucket_have_the_same_error_classes_as_pushes(simulator: ReinferSimulator) -> None:
    with sink_of(simulator) as sink:
        sink.push([comment()])
        for effect, kind in (("busy", errors.ReinferBusy), ("token-revoked", errors.ReinferTokenRefused)):
            simulator.faults.add(effect, operation="get-comment", times=1)
            with pytest.raises(kind):
                sink.stored([comment().id])
            simulator.faults.add(effect, operation="statistics", times=1)
            with pytest.raises(kind):
                sink.is_empty()
        assert list(sink.stored([comment().id])) == [comment().id]

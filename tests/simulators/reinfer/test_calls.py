"""Calls other than `sync`: tokens and permissions, sources, reading comments, paging, format of responses."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.reinfer import ADD_COMMENTS, READ, ReinferSimulator, Token
from simulators.reinfer.api import HANDLERS
from simulators.reinfer.routes import OPERATIONS

SOURCE = "/api/v1/sources/bank/desk"
Sync = Callable[..., httpx.Response]
Connect = Callable[..., httpx.Client]


def assert_refused(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert response.json()["status"] == "error"
    assert isinstance(response.json()["message"], str)
    assert set(response.json()) == {"status", "message"}


def test_the_api_is_only_below_its_prefix(reinfer: ReinferSimulator, connect: Connect) -> None:
    assert reinfer.url.endswith("/acme/prod/reinfer_")
    assert connect(reinfer).get("/auth/user").status_code == 200
    root = reinfer.url.removesuffix("/acme/prod/reinfer_")
    assert_refused(connect(reinfer).get(f"{root}{SOURCE}"), 404)
    with ReinferSimulator(prefix="", sources=[("bank", "desk")]) as bare:
        assert connect(bare).get(SOURCE).status_code == 200


def test_a_wrong_token_is_401_and_a_missing_permission_403(connect: Connect, comment: dict[str, Any]) -> None:
    tokens = [
        Token("reader", frozenset({READ})),
        Token("writer", frozenset({ADD_COMMENTS})),
        Token("elsewhere", projects=frozenset({"other"})),
    ]
    body = {"comments": [comment]}
    with ReinferSimulator(tokens=tokens, sources=[("bank", "desk")], projects=["other"]) as simulator:
        assert_refused(connect(simulator, "wrong").get(SOURCE), 401)
        assert_refused(connect(simulator, "writer2").post(f"{SOURCE}/sync", json=body), 401)
        assert_refused(httpx.get(f"{simulator.url}{SOURCE}", trust_env=False), 401)
        assert connect(simulator, "reader").get(SOURCE).status_code == 200
        assert_refused(connect(simulator, "reader").post(f"{SOURCE}/sync", json=body), 403)
        assert connect(simulator, "writer").post(f"{SOURCE}/sync", json=body).status_code == 200
        assert_refused(connect(simulator, "writer").get(SOURCE), 403)
        assert_refused(connect(simulator, "elsewhere").get(SOURCE), 403)
        assert_refused(connect(simulator, "writer").put("/api/v1/sources/bank/new", json={"source": {}}), 403)
        assert simulator.ai_units == 1


def test_the_current_user_has_permissions_by_project(client: httpx.Client) -> None:
    user = client.get("/auth/user").json()["user"]
    assert set(user["project_permissions"]) == {"bank", "empty"}
    assert ADD_COMMENTS in user["project_permissions"]["bank"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/sources/bank/nowhere", 404),
        ("/api/v1/sources/nowhere/desk", 404),
        ("/api/v1/sources/nowhere", 404),
        ("/api/v1/sources/bank/desk/more", 404),
        ("/api/v1/sources/bank/de%2Fsk", 404),
        ("/api/v1/sources/bank/de%252Fsk", 400),
        ("/api/v1/sources/bank/de.sk", 400),
        ("/api/v1/sources/b@nk/desk", 400),
        ("/api/v1/sources/bank/%FF", 400),
        ("/api/v1/sources/id:zz", 400),
        ("/api/v1/sources/id:0000000000000000", 404),
        ("/api/v1/sources/bank/desk/sync", 405),
        ("/api/v1/sources/bank/desk/comments/missing", 404),
        ("/api/_private/sources/bank/desk/comments?limit=0", 400),
        ("/api/_private/sources/bank/desk/comments?limit=257", 400),
        ("/api/_private/sources/bank/desk/comments?direction=up", 400),
        ("/api/_private/sources/bank/desk/comments?after=x", 400),
        ("/api/_private/sources/bank/desk/comments?from_timestamp=yesterday", 400),
        ("/auth/nobody", 404),
    ],
)
def test_unknown_and_invalid_paths_get_an_error_as_json(client: httpx.Client, path: str, status: int) -> None:
    assert_refused(client.get(path), status)


def test_sources_are_listed_found_by_id_and_created_once(client: httpx.Client) -> None:
    made = client.put("/api/v1/sources/empty/claims", json={"source": {"title": "Claims", "language": "de"}})
    source = made.json()["source"]
    assert (source["owner"], source["name"], source["title"], source["language"]) == ("empty", "claims", "Claims", "de")
    assert client.get(f"/api/v1/sources/id:{source['id']}").json()["source"] == source
    assert client.get("/api/v1/sources/empty/claims").json()["source"] == source
    assert [one["name"] for one in client.get("/api/v1/sources").json()["sources"]] == ["desk", "claims"]
    assert [one["name"] for one in client.get("/api/v1/sources/empty").json()["sources"]] == ["claims"]
    assert [one["name"] for one in client.get("/api/_private/projects").json()["projects"]] == ["bank", "empty"]
    assert client.get("/api/_private/projects/empty").json()["project"]["name"] == "empty"
    assert_refused(client.put("/api/v1/sources/empty/claims", json={"source": {}}), 409)


@pytest.mark.parametrize(
    "source",
    [{"title": "x" * 129}, {"language": "fr"}, {"name": "x"}, {"bucket_id": "x"}, {"should_translate": 1}],
)
def test_a_source_that_breaks_the_schema_is_not_created(
    reinfer: ReinferSimulator, client: httpx.Client, source: dict[str, Any]
) -> None:
    assert_refused(client.put("/api/v1/sources/bank/new", json={"source": source}), 400)
    assert ("bank", "new") not in reinfer.sources


def test_a_source_in_a_project_that_is_not_there_is_404(client: httpx.Client) -> None:
    assert_refused(client.put("/api/v1/sources/nowhere/new", json={"source": {}}), 404)


def test_a_stored_comment_has_the_keys_that_re_infer_adds(
    client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    comment["messages"][0]["body"]["text_markup"] = [{"text": "x"}]
    sync(comment)
    answer = client.get(f"{SOURCE}/comments/{comment['id']}").json()["comment"]
    assert answer["timestamp"] == answer["messages"][0]["sent_at"] == "2026-03-02T08:15:30.000000+00:00"
    assert answer["user_properties"] == comment["user_properties"]
    assert answer["attachments"] == [{**comment["attachments"][0], "inline": False}]
    assert answer["uid"] == f"{answer['source_id']}.{comment['id']}"
    assert {"created_at", "last_modified", "context", "has_annotations"} < set(answer)
    assert "text_markup" not in answer["messages"][0]["body"]
    full = client.get(f"{SOURCE}/comments/{comment['id']}?include_markup=true").json()["comment"]
    assert full["messages"][0]["body"] == comment["messages"][0]["body"]


def test_an_id_of_punctuation_reads_back_when_it_is_percent_encoded(
    client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync({**comment, "id": "a?b#c%d"})
    assert client.get(f"{SOURCE}/comments/a%3Fb%23c%25d").json()["comment"]["id"] == "a?b#c%d"


def test_the_comments_of_a_source_are_paged_by_their_timestamps(
    client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync(*({**comment, "id": f"c{day}", "timestamp": f"2026-03-0{day}T00:00:00Z"} for day in (3, 1, 5, 4, 2)))
    url = "/api/_private/sources/bank/desk/comments"
    first = client.get(url, params={"limit": 2}).json()
    assert [one["id"] for one in first["comments"]] == ["c1", "c2"]
    seen, continuation = [], first["continuation"]
    while continuation:
        page = client.get(url, params={"limit": 2, "after": continuation}).json()
        seen += [one["id"] for one in page["comments"]]
        continuation = page.get("continuation")
    assert seen == ["c3", "c4", "c5"]
    some = {"from_timestamp": "2026-03-02T00:00:00Z", "to_timestamp": "2026-03-04T00:00:00Z", "direction": "descending"}
    assert [one["id"] for one in client.get(url, params=some).json()["comments"]] == ["c3", "c2"]


def test_the_comments_of_a_source_are_counted(client: httpx.Client, sync: Sync, comment: dict[str, Any]) -> None:
    url = f"{SOURCE}/statistics"
    assert client.post(url, json={"comment_filter": {}}).json()["statistics"] == {"num_comments": 0}
    sync(comment)
    assert client.post(url, json={"comment_filter": {}}).json()["statistics"] == {"num_comments": 1}
    assert_refused(client.post(url, json={"comment_filter": {"user_properties": {}}}), 400)


def test_comments_are_counted_by_time_and_source(client: httpx.Client, sync: Sync, comment: dict[str, Any]) -> None:
    sync(*({**comment, "id": f"c{day}", "timestamp": f"2026-03-0{day}T00:00:00Z"} for day in (1, 2, 3)))
    source_id = client.get(SOURCE).json()["source"]["id"]

    def counted(**wanted: Any) -> int:
        answer = client.post(f"{SOURCE}/statistics", json={"comment_filter": {"messages": {}, **wanted}})
        return int(answer.json()["statistics"]["num_comments"])

    assert counted(sources=[source_id], timestamp={"minimum": "2026-03-02T00:00:00Z"}) == 2
    assert counted(timestamp={"minimum": "2026-03-02T00:00:00Z", "maximum": "2026-03-02T00:00:00Z"}) == 1
    assert counted(sources=["0" * 16]) == 0
    assert counted(reviewed="only_reviewed") == 0


def test_put_overwrites_a_comment_only_with_its_context(
    reinfer: ReinferSimulator, client: httpx.Client, comment: dict[str, Any]
) -> None:
    url = "/api/_private/sources/bank%2Fdesk/comments?no_charge=false"
    assert client.put(url, json={"comments": [comment]}).json() == {"status": "ok"}
    assert client.put(url, json={"comments": [comment]}).json() == {"status": "ok"}
    changed = {**comment, "user_properties": {"string:Folder": "Archive"}}
    assert_refused(client.put(url, json={"comments": [{**comment, "id": "new"}, changed]}), 409)
    assert list(reinfer.sources["bank", "desk"].comments) == [comment["id"]]
    context = client.get(f"{SOURCE}/comments/{comment['id']}").json()["comment"]["context"]
    assert client.put(url, json={"comments": [{**changed, "context": context}]}).status_code == 200
    assert (
        client.get(f"{SOURCE}/comments/{comment['id']}").json()["comment"]["user_properties"]
        == changed["user_properties"]
    )
    assert_refused(client.post(f"{SOURCE}/sync", json={"comments": [{**comment, "context": context}]}), 400)


def test_a_source_is_changed_and_deleted_by_its_id(reinfer: ReinferSimulator, client: httpx.Client) -> None:
    source = client.post(SOURCE, json={"source": {"title": "Desk 2", "bucket_id": None}}).json()["source"]
    assert (source["title"], source["_kind"]) == ("Desk 2", "unknown")
    assert {"last_modified", "created_at", "updated_at", "bucket_id"} <= set(source)
    assert_refused(client.post(SOURCE, json={"source": {"language": "de"}}), 400)
    assert_refused(client.post(SOURCE, json={"source": {"bucket_id": "0" * 16}}), 404)
    assert client.delete(f"/api/v1/sources/id:{source['id']}").json() == {"status": "ok"}
    assert reinfer.sources == {}


def test_every_call_that_has_a_path_has_a_handler() -> None:
    assert sorted(HANDLERS) == sorted(OPERATIONS)


def test_a_user_has_all_keys_that_the_vendors_client_needs(client: httpx.Client) -> None:
    needed = {"id", "username", "email", "created", "verified"}
    needed |= {"global_permissions", "organisation_permissions", "sso_global_permissions"}
    assert needed <= set(client.get("/auth/user").json()["user"])
    refreshed = client.post("/auth/refresh-user-permissions", json={}).json()
    assert refreshed == {"status": "ok", "permissions_refreshed": True}
    assert {"created_at", "updated_at"} <= set(client.get("/api/_private/projects/bank").json()["project"])


def test_up_to_128_comments_are_deleted_at_once_and_missing_ids_are_no_error(
    reinfer: ReinferSimulator, client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    sync({**comment, "id": "a"}, {**comment, "id": "b"})
    url = f"{SOURCE}/comments"
    assert client.delete(url, params={"id": ["a", "missing"]}).json() == {"status": "ok"}
    assert list(reinfer.sources["bank", "desk"].comments) == ["b"]
    assert_refused(client.delete(url), 400)
    assert_refused(client.delete(url, params={"id": [f"c{number}" for number in range(129)]}), 400)


def test_no_charge_true_is_refused(reinfer: ReinferSimulator, client: httpx.Client, comment: dict[str, Any]) -> None:
    body = {"comments": [comment]}
    assert_refused(client.post(f"{SOURCE}/sync?no_charge=true", json=body), 403)
    assert client.post(f"{SOURCE}/sync?no_charge=false", json=body).status_code == 200


def test_responses_contain_their_duration_and_are_compressed_for_clients_that_accept_gzip(
    client: httpx.Client, sync: Sync, comment: dict[str, Any]
) -> None:
    comment["messages"][0]["body"]["text"] = "again " * 2000
    sync(comment)
    url = f"{SOURCE}/comments/{comment['id']}"
    answer = client.get(url)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Server-Timing"].startswith("total;dur=")
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == answer.json()

"""The admin of a process seed. It reads the database and uses the REST API, and retries requests while the API is down."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.faults.processes.stack import DEFAULT_TOKEN, PASSWORD, USER, Stack

PATIENCE = 60.0
"""Maximum time in seconds for which a request is retried."""


class Admin:
    """The admin of one integration and one bucket, which only this seed uses."""

    def __init__(self, stack: Stack, number: str, addresses: list[str]) -> None:
        self.stack = stack
        self.name = f"seed{number}"
        self.addresses = list(addresses)
        self.bucket = ("bank", self.name)
        self.password = PASSWORD
        headers = {"Authorization": f"Bearer {stack.token}"}
        address = f"http://127.0.0.1:{stack.web_port}/api/v1/"
        self._client = httpx.Client(base_url=address, headers=headers, timeout=15, trust_env=False)
        self._one = f"integrations/bank/{self.name}"

    def begin(self) -> None:
        """Create the destination, if there is none yet, and the integration with its mailboxes. Then start the integration."""
        if not self._call("GET", "destinations")["results"]:
            given = {"name": "Re:infer", "endpoint": self.stack.reinfer.url, "token": DEFAULT_TOKEN}
            self._call("POST", "destinations", given)
        self.put(self.addresses)
        self.start()

    def put(self, addresses: list[str]) -> None:
        """Write the integration with exactly these mailboxes."""
        bucket = {"project_name": self.bucket[0], "name": self.bucket[1]}
        configuration = {
            "connection": {
                "application": {"kind": "ntlm"},
                "access": {"kind": "user_access", "username": USER, "password": self.password},
                "ews_endpoint": self.stack.exchange.url(),
                "build_version": "15.1.2507.39",
            },
            "settings": {"ca_bundle": self.stack.exchange.ca},
            "mailboxes": [{"email": address, "bucket_specification": bucket} for address in addresses],
        }
        self._call("PUT", self._one, {"title": "Desks", "enabled": True, "configuration": configuration})

    def start(self) -> None:
        self._call("POST", f"{self._one}/start")

    def stop(self) -> None:
        self._call("POST", f"{self._one}/stop")

    def start_all(self) -> None:
        """Start the integration and all its mailboxes, also those that are disabled or paused."""
        for pk in self.mailboxes().values():
            self._call("POST", f"mailboxes/{pk}/start")
        self.start()

    def delete(self) -> None:
        self._call("DELETE", self._one)

    def delete_mailbox(self, address: str) -> None:
        pk = self.mailboxes().get(address)
        if pk is not None:
            self._call("DELETE", f"mailboxes/{pk}")

    def set_password(self, password: str) -> None:
        self.password = password
        self.put(self.addresses)

    def list_again(self) -> None:
        for pk in self.mailboxes().values():
            self._call("POST", f"mailboxes/{pk}/list-again")

    def try_again(self) -> None:
        self._call("POST", f"set-aside/retry?integration_name={self.name}", good=(202, 422))

    def mailboxes(self) -> dict[str, int]:
        response = self._call("GET", f"{self._one}/mailboxes?page_size=100", good=(200, 404))
        return {row["email"]: row["id"] for row in response.get("results", [])}

    # ---- state --------------------------------------------------------------------------------------------------------

    def states(self) -> list[dict[str, Any]]:
        columns = "address", "up_to_date", "synced_at", "leased", "queued", "error", "enabled", "next"
        rows = self.stack.cluster.ask(
            "SELECT m.address, s.up_to_date, s.synced_at, s.lease_token IS NOT NULL, s.queued_until > now(), "
            "s.error_kind || ': ' || s.error_text, m.enabled AND i.enabled, s.next_sync_at "
            "FROM mailboxes_mailbox m JOIN integrations_integration i ON i.id = m.integration_id "
            "LEFT JOIN sync_mailboxstate s ON s.mailbox_id = m.id WHERE i.name = %s ORDER BY 1",
            self.name,
        )
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def aside(self) -> set[str]:
        """Return the comment ids of the dead letters with a kind, except dead letters whose email Exchange cannot find."""
        rows = self.stack.cluster.ask(
            "SELECT e.listed_id FROM sync_setasideemail e JOIN mailboxes_mailbox m ON m.id = e.mailbox_id "
            "JOIN mailboxes_bucket b ON b.id = m.bucket_id "
            "WHERE b.name = %s AND e.settled = '' AND e.kind <> '' AND e.stage <> 'gone'",
            self.name,
        )
        return {row[0] for row in rows}

    def ledger(self) -> dict[str, int]:
        row = self.stack.cluster.ask(
            "SELECT count(*) FILTER (WHERE billed), count(*) FILTER (WHERE state <> 'confirmed' OR dirty) "
            "FROM sync_ledgerentry e JOIN mailboxes_bucket b ON b.id = e.bucket_id WHERE b.name = %s",
            self.name,
        )[0]
        return {"billed": row[0], "unsettled": row[1]}

    def runs(self) -> dict[str, int]:
        """Return the number of runs by outcome and error kind."""
        rows = self.stack.cluster.ask(
            "SELECT trim(r.outcome || ' ' || r.error_kind), count(*) FROM sync_syncrun r "
            "JOIN mailboxes_mailbox m ON m.id = r.mailbox_id JOIN mailboxes_bucket b ON b.id = m.bucket_id "
            "WHERE b.name = %s GROUP BY 1 ORDER BY 1",
            self.name,
        )
        return dict(rows)

    def now(self) -> Any:
        return self.stack.cluster.ask("SELECT now()")[0][0]

    def close(self) -> None:
        self._client.close()

    def _call(
        self, method: str, path: str, given: Any = None, good: tuple[int, ...] = (200, 201, 202, 204)
    ) -> dict[str, Any]:
        """Send a request. Repeat the request while the web process or its database is not available, and after a 409."""
        good = (*good, 404) if method == "DELETE" else good
        end = time.monotonic() + PATIENCE
        problem = ""
        while time.monotonic() < end:
            try:
                response = self._client.request(method, path, json=given)
            except httpx.HTTPError as error:
                problem = type(error).__name__
            else:
                if response.status_code in good:
                    return response.json() if response.content else {}
                problem = f"{response.status_code} {response.text[:500]}"
                if response.status_code < 500 and response.status_code != 409:
                    break
            time.sleep(0.2)
        raise AssertionError(f"{method} {path}: {problem}")

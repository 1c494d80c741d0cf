"""A simulated Microsoft Graph v1.0 with the read operations that a mail sync needs.

It serves a mail store of `simulators.exchange`:

    app = Registration("tenant", "client", "secret", certificates=frozenset({pem}), mailboxes=frozenset({"desk@x"}))
    user = User("tenant", "svc@bank.example", "password", delegate_of=frozenset({"desk@x"}))
    with GraphSimulator(store, registrations=[app], users=[user], limits=Limits()) as graph:
        graph.url, graph.authority_url, graph.ca, graph.control_url
        graph.faults.add("throttled", operation="messages-delta", times=2, retry_after=1)
        graph.faults.add("error", operation="messages-delta", code="resyncRequired", times=1)
        graph.faults.add("corrupt", message_id="<a@x>", operation="messages-delta", status=504)
        graph.store["desk@x"].move(item_id, "Done")         # an action of a user; `ExchangeSimulator` can share the store
        graph.entra.lifetime = 60.0; graph.expire_tokens()
        graph.operations                                    # list-folders, folder, child-folders, folders-delta, messages,
                                                            # messages-count, messages-delta, message, mime, attachments,
                                                            # attachment, attachment-value, user, batch

The faults are in `effects`, the HTTP endpoint for other processes in `simulators.exchange.control`.
"""

from simulators.graph.accounts import Registration, User
from simulators.graph.entra import Entra
from simulators.graph.server import GraphSimulator
from simulators.graph.throttle import Limits

__all__ = ["Entra", "GraphSimulator", "Limits", "Registration", "User"]

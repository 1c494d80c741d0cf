"""What a browser sees at the address of the service."""

from __future__ import annotations

from lxml import etree

from simulators.exchange.pages import OPERATIONS
from tests.simulators.exchange.conftest import Asker


def test_the_endpoint_shows_a_page_to_those_who_signed_in(asker: Asker) -> None:
    assert asker.client.get(asker.exchange.url()).status_code == 401
    page = asker.client.get(asker.exchange.url(), auth=asker.auth)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "You have created a service." in page.text


def test_the_description_is_served_to_those_who_signed_in(asker: Asker) -> None:
    url = asker.exchange.url().replace("Exchange.asmx", "Services.wsdl")
    assert asker.client.get(url).status_code == 401
    described = etree.fromstring(asker.client.get(url, auth=asker.auth).content)
    names = {element.get("name") for element in described.iterfind(".//{*}portType/{*}operation")}
    assert names == set(OPERATIONS)
    assert asker.client.post(url, content=b"", auth=asker.auth).status_code == 405


def test_every_operation_of_the_description_is_simulated(asker: Asker) -> None:
    for name in OPERATIONS:
        assert asker.codes(f"<m:{name}/>") != ["ErrorInvalidRequest"]

"""The two documents that Exchange serves for a GET: the service page of the endpoint, and the WSDL."""

from __future__ import annotations

from lxml import etree

from simulators.exchange.pages import OPERATIONS
from tests.simulators.exchange.conftest import EwsClient


def test_the_service_page_is_served_only_with_a_sign_in(ews_client: EwsClient) -> None:
    assert ews_client.client.get(ews_client.exchange.url()).status_code == 401
    page = ews_client.client.get(ews_client.exchange.url(), auth=ews_client.auth)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "You have created a service." in page.text


def test_the_wsdl_is_served_only_with_a_sign_in(ews_client: EwsClient) -> None:
    url = ews_client.exchange.url().replace("Exchange.asmx", "Services.wsdl")
    assert ews_client.client.get(url).status_code == 401
    described = etree.fromstring(ews_client.client.get(url, auth=ews_client.auth).content)
    names = {element.get("name") for element in described.iterfind(".//{*}portType/{*}operation")}
    assert names == set(OPERATIONS)
    assert ews_client.client.post(url, content=b"", auth=ews_client.auth).status_code == 405


def test_every_operation_of_the_wsdl_is_simulated(ews_client: EwsClient) -> None:
    for name in OPERATIONS:
        assert ews_client.codes(f"<m:{name}/>") != ["ErrorInvalidRequest"]

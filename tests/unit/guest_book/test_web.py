# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

pytest.importorskip("flask", reason="Flask is not installed, so the pages of the sample app are NOT tested")

from guest_book.book import GuestBook
from guest_book.health import HealthCheck
from guest_book.settings import settings_from
from guest_book.web import serve

from .fakes import FakeEndpoint, FakeServer
from .test_settings import ENVIRONMENT

ENTRY = {"name": "Ada", "message": "Hello", "client_id": "abcdefgh"}


def client_of(primary, replica):
    writes, reads = FakeEndpoint(primary), FakeEndpoint(replica)
    book = GuestBook(writes=writes, reads=reads, quick_writes=writes)
    return serve(settings_from(ENVIRONMENT), book, HealthCheck(writes=writes, reads=reads)).test_client()


@pytest.fixture
def client():
    return client_of(FakeServer("db1"), FakeServer("db2", writable=False))


def test_the_page_shows_who_served_it(client):
    answer = client.get("/")
    assert [answer.headers[name] for name in ("X-Served-By", "X-Release", "X-Db-Write", "X-Db-Read")] == [
        "web1",
        "61bf0e2d94c7",
        "db1",
        "db2",
    ]
    for name in ("web1", "61bf0e2d94c7", "db1", "db2"):
        assert name in answer.text


def test_a_form_is_answered_with_a_redirection_and_a_bookmark(client):
    answer = client.post("/entries", data=ENTRY)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "written=0-1-7;" in answer.headers["Set-Cookie"]


def test_what_readers_write_is_escaped():
    server = FakeServer()
    client = client_of(server, server)
    client.post("/entries", data={**ENTRY, "message": "<script>alert(1)</script>"})
    assert "<script>" not in client.get("/").text


def test_an_incomplete_form_comes_back_with_its_words_and_what_is_missing(client):
    answer = client.post("/entries", data={**ENTRY, "message": " "})
    assert answer.status_code == 422
    assert 'value="Ada"' in answer.text
    assert "Please write a message." in answer.text


def test_programs_get_json_and_the_same_entry_for_the_same_draft(client):
    first, second = (client.post("/entries", json=ENTRY) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json["entry"] == second.json["entry"]


def test_the_entries_can_be_had_as_json():
    server = FakeServer()
    client = client_of(server, server)
    client.post("/entries", json=ENTRY)
    answer = client.get("/entries.json").json
    assert (answer["read_from"], answer["entries"][0]["message"]) == ("db1", "Hello")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": [1]}, 400),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": b"x" * 20000, "content_type": "application/json"}, 413),
        ({"data": ENTRY, "headers": {"Origin": "https://evil.example"}}, 403),
    ],
    ids=["no object", "no json", "too big", "another site"],
)
def test_what_cannot_be_an_entry_is_refused(client, sent, status):
    assert client.post("/entries", **sent).status_code == status


def test_without_a_primary_the_book_can_be_read_and_says_why_not_written():
    answer = client_of(None, FakeServer("db2", writable=False)).get("/")
    assert (answer.status_code, answer.headers["X-Db-Read"]) == (200, "db2")
    assert "X-Db-Write" not in answer.headers
    assert "nobody takes new entries" in answer.text


def test_without_a_primary_a_form_is_kept_for_another_try():
    answer = client_of(None, FakeServer("db2", writable=False)).post("/entries", data=ENTRY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert 'name="client_id" value="abcdefgh"' in answer.text


def test_without_any_database_every_page_says_so():
    answer = client_of(None, None).get("/")
    assert (answer.status_code, answer.headers["X-Served-By"]) == (503, "web1")


@pytest.mark.parametrize(("replica", "status"), [(FakeServer("db2", writable=False), 200), (None, 503)], ids=str)
def test_health_is_whether_readers_can_be_served(replica, status):
    answer = client_of(None, replica).get("/healthz")
    assert (answer.status_code, answer.json["ready"], answer.json["write"]) == (status, status == 200, None)


def test_a_missing_page_is_told_to_programs_in_json(client):
    assert client.get("/nowhere", headers={"Accept": "application/json"}).json["error"] == "Not Found"


def test_nothing_is_loaded_from_elsewhere(client):
    page = client.get("/").text
    assert "http://" not in page
    assert "https://" not in page
    assert client.get("/").headers["Content-Security-Policy"].startswith("default-src 'none'")

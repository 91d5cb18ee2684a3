"""The watch over queries itself: that it catches what it is there for."""

import sqlite3

import pytest
from pymongo import MongoClient

from tests.store.queries import Queries, bounded, scans


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM commits WHERE at < 3",
        "SELECT n FROM commits WHERE n = 3",
        "DELETE FROM causes WHERE cause = 'a'",
        "SELECT * FROM parked WHERE lane = 'a' ORDER BY timestamp",
    ],
)
def test_a_statement_without_an_index_is_a_scan(statement: str) -> None:
    assert scans([statement]) == [statement]


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        ({}, ()),
        ({"at": {"$lt": 3}}, ()),
        ({"n": 3}, ()),
        ({"stream": "a", "at": 3}, ()),
        ({"stream": {"$gt": "a"}, "n": 3}, ()),
        ({"stream": "a"}, ("at",)),
    ],
)
def test_a_filter_that_is_no_prefix_of_an_index_is_unbounded(
    query: dict[str, object], sort: tuple[str, ...]
) -> None:
    assert not bounded("commits", query, sort)


def test_a_filter_on_the_identity_or_on_a_prefix_in_its_order_is_bounded() -> None:
    assert bounded("commits", {"_id": "a:1"}, ())
    assert bounded("commits", {"stream": "a", "n": {"$gt": 3}}, ("n",))
    assert bounded("parked", {"lane": "a", "key": b"k"}, ("_id",))


def test_a_scan_that_reached_sqlite_is_reported(queries: Queries) -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE commits (at)")
    database.execute("SELECT * FROM commits WHERE at < ?", (3,)).fetchall()
    database.close()
    assert queries.unindexed() == ["SELECT * FROM commits WHERE at < 3"]
    queries.forget()


@pytest.mark.real_mongo
def test_a_scan_that_reached_mongodb_is_reported(mongo_store_url: str, queries: Queries) -> None:
    with MongoClient[dict[str, object]](mongo_store_url) as client:
        commits = client.get_default_database()["commits"]
        commits.find_one({"at": 3})
        commits.delete_many({"stream": "a", "at": 3})
        commits.update_many({}, {"$set": {"at": 3}})
        list(commits.aggregate([{"$match": {"at": 3}}]))
    assert len(queries.unindexed()) == 4
    queries.forget()

"""The local MongoDB-compatible server keeps what it acknowledged when it is killed."""

from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, ServerSelectionTimeoutError

from deploy.local.store import MongoServer, answers

pytestmark = pytest.mark.real_mongo


def test_acknowledged_documents_survive_kill_9(mongo_server: MongoServer) -> None:
    name = uuid4().hex
    with MongoClient[dict[str, int]](mongo_server.url) as client:
        client[name].documents.insert_many([{"_id": number} for number in range(50)])
        mongo_server.kill()
        mongo_server.start()
        assert client[name].documents.count_documents({}) == 50
        with pytest.raises(DuplicateKeyError):
            client[name].documents.insert_one({"_id": 7})


def test_a_killed_server_does_not_answer(mongo_server: MongoServer) -> None:
    mongo_server.kill()
    client = MongoClient[dict[str, int]](mongo_server.url, serverSelectionTimeoutMS=300)
    with client, pytest.raises(ServerSelectionTimeoutError):
        client.admin.command("ping")


def test_a_frozen_server_answers_again_when_it_goes_on(mongo_server: MongoServer) -> None:
    mongo_server.pause()
    assert not answers(mongo_server.url)
    mongo_server.resume()
    assert answers(mongo_server.url)

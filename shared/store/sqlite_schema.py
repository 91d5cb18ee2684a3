"""Tables and statements of the SQLite adapter, side by side to see that each query has its index."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS commits (
    stream TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, causes TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (stream, n)
) STRICT;
CREATE TABLE IF NOT EXISTS causes (
    stream TEXT NOT NULL, cause TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (stream, cause, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads (
    stream TEXT PRIMARY KEY, snapshot_n INTEGER NOT NULL, published_n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (
    stream TEXT NOT NULL, key TEXT NOT NULL, n INTEGER NOT NULL, state BLOB,
    PRIMARY KEY (stream, key)
) STRICT;
CREATE TABLE IF NOT EXISTS parked (
    lane TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
    key BLOB NOT NULL, value BLOB, headers TEXT NOT NULL, timestamp INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (lane, topic, offset)
) STRICT;
CREATE INDEX IF NOT EXISTS parked_by_key ON parked (lane, key, topic, offset);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
"""

INSERT_COMMIT = "INSERT INTO commits VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
INSERT_CAUSES = "INSERT INTO causes SELECT ?, value, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING"
SELECT_TAIL = "SELECT * FROM commits WHERE stream = ? AND n > ? ORDER BY n LIMIT ?"
SELECT_COMMIT = "SELECT * FROM commits WHERE stream = ? AND n = ?"
SELECT_KNOWN = """
SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM causes WHERE stream = ? AND cause = value)
"""
SELECT_OLDEST = "SELECT n, at, causes FROM commits WHERE stream = ? AND n <= ? ORDER BY n LIMIT ?"
DELETE_COMMIT = "DELETE FROM commits WHERE stream = ? AND n = ?"
DELETE_CAUSE = "DELETE FROM causes WHERE stream = ? AND cause = ? AND n = ?"

SELECT_HEAD = "SELECT * FROM heads WHERE stream = ?"
REPLACE_HEAD = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)"

SELECT_SNAPSHOTS = "SELECT * FROM snapshots WHERE stream = ? AND state IS NOT NULL"
SAVE_SNAPSHOT = """
INSERT INTO snapshots VALUES (?, ?, ?, ?)
ON CONFLICT (stream, key) DO UPDATE SET n = excluded.n, state = excluded.state WHERE snapshots.n <= excluded.n
"""
DELETE_DROPPED = "DELETE FROM snapshots WHERE stream = ? AND state IS NULL AND n <= ?"

INSERT_PARKED = "INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
SELECT_PARKED_KEYS = "SELECT DISTINCT key FROM parked WHERE lane = ?"
SELECT_PARKED = "SELECT * FROM parked WHERE lane = ? AND key = ? ORDER BY topic, offset LIMIT ?"
DELETE_PARKED = "DELETE FROM parked WHERE lane = ? AND topic = ? AND offset = ?"

INSERT_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
SELECT_DOCUMENTS = "SELECT id, body FROM documents WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"
REPLACE_DOCUMENT = "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)"
DELETE_DOCUMENT = "DELETE FROM documents WHERE kind = ? AND id = ?"
SCAN_DOCUMENTS = """
SELECT id, body FROM documents WHERE kind = ? AND id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?
"""

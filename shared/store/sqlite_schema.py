"""Tables and statements of the SQLite adapter, side by side to see that each query has its index.

Each statement takes a list of any length, as JSON. Python gives its interpreter's lock away for every row of
`executemany` and every row of an answer, and gets it back up to 5 ms later while the event loop is busy: a
hundred rows, one by one, would keep everybody else's writes waiting for half a second.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS commits (
    stream TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL, causes TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (stream, n)
) STRICT;
CREATE TABLE IF NOT EXISTS causes (
    stream TEXT NOT NULL, cause TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (stream, cause, n)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS causes_of_commit AFTER INSERT ON commits BEGIN
    INSERT INTO causes SELECT new.stream, value, new.n FROM json_each(new.causes) WHERE true
        ON CONFLICT DO NOTHING;
END;
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


def _rows(fields: int) -> str:
    """Return what selects rows of so many fields and a blob: the list is ?1, all blobs together are ?2."""
    listed = ", ".join(f"json_extract(value, '$[{field}]')" for field in range(fields))
    start, size = (f"json_extract(value, '$[{field}]')" for field in (fields, fields + 1))
    return f"SELECT {listed}, substr(?2, {start}, {size}) FROM json_each(?1) WHERE true"  # noqa: S608  (numbers)


def _taken(table: str, *place: str) -> str:
    """Return what selects, as a list, the numbers of rows whose `place`, their first two fields, is taken."""
    same = " AND ".join(f"{name} = json_extract(value, '$[{field}]')" for field, name in enumerate(place))
    exists = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608  (names of ours)
    return f"SELECT json_group_array(json_each.key) FROM json_each(?) WHERE {exists}"  # noqa: S608


INSERT_COMMITS = f"INSERT INTO commits {_rows(4)}"
TAKEN_COMMITS = _taken("commits", "stream", "n")
OR_NOTHING = " ON CONFLICT DO NOTHING"
SELECT_TAIL = "SELECT * FROM commits WHERE stream = ? AND n > ? ORDER BY n LIMIT ?"
SELECT_COMMIT = "SELECT * FROM commits WHERE stream = ? AND n = ?"
SELECT_KNOWN = """
SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM causes WHERE stream = ? AND cause = value)
"""
SELECT_PURGEABLE = """
WITH page AS (SELECT n, at FROM commits WHERE stream = ?1 AND n <= ?2 ORDER BY n LIMIT ?4)
SELECT count(*), max(n) FROM page WHERE n < coalesce((SELECT min(n) FROM page WHERE at >= ?3), ?2 + 1)
"""
DELETE_CAUSES = """
DELETE FROM causes WHERE (stream, cause, n) IN (
    SELECT stream, value, n FROM commits, json_each(commits.causes) WHERE stream = ?1 AND n <= ?2
)
"""
DELETE_COMMITS = "DELETE FROM commits WHERE stream = ? AND n <= ?"

SELECT_HEAD = "SELECT * FROM heads WHERE stream = ?"
REPLACE_HEAD = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)"

SELECT_SNAPSHOTS = "SELECT * FROM snapshots WHERE stream = ? AND state IS NOT NULL"
SAVE_SNAPSHOTS = f"""
INSERT INTO snapshots {_rows(3)}
ON CONFLICT (stream, key) DO UPDATE SET n = excluded.n, state = excluded.state WHERE snapshots.n <= excluded.n
"""
DELETE_DROPPED = "DELETE FROM snapshots WHERE stream = ? AND state IS NULL AND n <= ?"

INSERT_PARKED = "INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
SELECT_PARKED_KEYS = "SELECT DISTINCT key FROM parked WHERE lane = ?"
SELECT_PARKED = "SELECT * FROM parked WHERE lane = ? AND key = ? ORDER BY topic, offset LIMIT ?"
DELETE_PARKED = "DELETE FROM parked WHERE lane = ? AND topic = ? AND offset = ?"

INSERT_DOCUMENTS = f"INSERT INTO documents {_rows(2)}"
TAKEN_DOCUMENTS = _taken("documents", "kind", "id")
SELECT_DOCUMENTS = "SELECT id, body FROM documents WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"
REPLACE_DOCUMENTS = f"INSERT OR REPLACE INTO documents {_rows(2)}"
DELETE_DOCUMENTS = "DELETE FROM documents WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"
SCAN_DOCUMENTS = """
SELECT id, body FROM documents WHERE kind = ? AND id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?
"""

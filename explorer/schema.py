"""The format of the workspace file, as steps from one version of it to the next."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE jobs (
        key TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, call TEXT NOT NULL,
        payload TEXT NOT NULL, lane TEXT NOT NULL, seconds REAL NOT NULL, state TEXT NOT NULL,
        fraction REAL NOT NULL DEFAULT 0, text TEXT NOT NULL DEFAULT '', error TEXT,
        attempts INTEGER NOT NULL DEFAULT 0, stop INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL, submitted REAL NOT NULL, started REAL, ended REAL);
    CREATE INDEX jobs_state ON jobs (state, seq);
    -- wants: 1 waiting for it, 0 it ended, -1 withdrawn
    CREATE TABLE owners (
        key TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, owner TEXT NOT NULL,
        wants INTEGER NOT NULL, at REAL NOT NULL, PRIMARY KEY (key, owner)) WITHOUT ROWID;
    CREATE INDEX owners_owner ON owners (owner, at);
    CREATE TABLE needs (
        key TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, needed TEXT NOT NULL,
        PRIMARY KEY (key, needed)) WITHOUT ROWID;
    CREATE TABLE turns (owner TEXT PRIMARY KEY, served REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE timings (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, method TEXT NOT NULL, n INTEGER NOT NULL,
        d INTEGER NOT NULL, seconds REAL NOT NULL, expected REAL NOT NULL, at REAL NOT NULL);
    CREATE INDEX timings_method ON timings (method, id);
    CREATE TABLE engine (
        id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, host TEXT NOT NULL,
        beat REAL NOT NULL, ready INTEGER NOT NULL, note TEXT NOT NULL);
    CREATE TABLE workspaces (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL,
        updated REAL NOT NULL, last_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE operations (
        workspace TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE, seq INTEGER NOT NULL,
        operation TEXT NOT NULL, payload TEXT NOT NULL, at REAL NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (workspace, seq)) WITHOUT ROWID;
    """,
    """
    -- began on the monotonic clock, took in seconds, started and ended only for people to read
    ALTER TABLE jobs ADD COLUMN began REAL;
    ALTER TABLE jobs ADD COLUMN took REAL;
    UPDATE jobs SET took = max(0.0, ended - started) WHERE ended IS NOT NULL
    """,
    """
    -- seal_row is ours (seal.py): SQLite itself does not notice a changed bit inside a value
    ALTER TABLE workspaces ADD COLUMN seal TEXT;
    ALTER TABLE operations ADD COLUMN seal TEXT;
    UPDATE workspaces SET seal = seal_row(id, name, document, version, updated, last_seq);
    UPDATE operations SET seal = seal_row(workspace, seq, operation, payload, at, undone)
    """,
)
"""Step i brings a file from `user_version` i to i + 1. Steps are only ever added."""

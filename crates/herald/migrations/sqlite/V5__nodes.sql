-- Ownership: the same tables as on PostgreSQL, with one node.

CREATE TABLE node (
    node BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    works INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    node BLOB,
    epoch INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- The epoch of the lane's last owner: whoever writes with an earlier one is refused.
ALTER TABLE lane ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- 0 a callback, 1 evidence: what a node learnt that no longer owns the lane, or that could not be written.
ALTER TABLE inbox ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;

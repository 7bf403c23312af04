-- Keys lead with the department (`department` is its row number, a small integer), so that every table can be
-- partitioned or distributed by it. Times are microseconds since 1970 in UTC. Ids are UUIDv7 in 16 bytes, so that
-- inserts append to the tree. No index on the path of a message has a random key.

CREATE TABLE department (
    department INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,              -- the API key
    name TEXT NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}',  -- JSON: DepartmentSettings
    created_at INTEGER NOT NULL
);

CREATE TABLE channel (
    channel INTEGER PRIMARY KEY,
    department INTEGER NOT NULL REFERENCES department,
    id BLOB NOT NULL UNIQUE,
    protocol TEXT NOT NULL,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    non_ticket INTEGER NOT NULL DEFAULT 0,  -- non-ticket messages are off until somebody switches them on
    settings TEXT NOT NULL DEFAULT '{}',    -- JSON: ChannelSettings
    credentials BLOB,                       -- sealed JSON
    created_at INTEGER NOT NULL
);

-- One row for each identifier of ours: everything that goes out over it goes in one ordered, paced stream.
CREATE TABLE lane (
    lane INTEGER PRIMARY KEY,
    department INTEGER NOT NULL REFERENCES department,
    channel INTEGER NOT NULL REFERENCES channel,
    protocol TEXT NOT NULL,
    identifier TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    rate TEXT,                            -- as "80/s,burst=10"; NULL: the configured default
    paused INTEGER NOT NULL DEFAULT 0,
    queued INTEGER NOT NULL DEFAULT 0,    -- rows in live and later: start must not count them
    pace TEXT NOT NULL DEFAULT '{}',      -- JSON: pace state after the last claim, so that a restart makes no burst
    created_at INTEGER NOT NULL,
    UNIQUE (protocol, identifier)
);

-- Never updated.
CREATE TABLE message (
    department INTEGER NOT NULL,
    id BLOB NOT NULL,
    lane INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,                   -- JSON: rules::message::Message
    PRIMARY KEY (department, id)
) WITHOUT ROWID;

-- What may go now, in order; narrow, and deleted at the outcome.
CREATE TABLE live (
    department INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    class INTEGER NOT NULL,               -- 0 transactional, 1 bulk
    position INTEGER NOT NULL,            -- a sequence of the store, not a clock
    id BLOB NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    resent INTEGER NOT NULL DEFAULT 0,    -- 1: goes again after an unknown outcome
    PRIMARY KEY (department, lane, class, position)
) WITHOUT ROWID;

-- What waits for a moment: sendAt, or (held) a retry and whatever stands behind it for the same customer.
CREATE TABLE later (
    department INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    due INTEGER NOT NULL,
    position INTEGER NOT NULL,            -- held rows keep their place; scheduled ones get a new one when due
    class INTEGER NOT NULL,
    id BLOB NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    resent INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (department, lane, due, position)
) WITHOUT ROWID;

-- One row for each batch that is at the provider's door; durable before the first call, deleted when all of the
-- batch have outcomes. What a crash leaves here is of unknown outcome.
CREATE TABLE claim (
    department INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    entries BLOB NOT NULL,                -- 25 bytes each: class, position, id
    PRIMARY KEY (department, lane, number)
) WITHOUT ROWID;

-- Messages whose outcome is being found out.
CREATE TABLE checking (
    department INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    id BLOB NOT NULL,
    class INTEGER NOT NULL,
    position INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    resent INTEGER NOT NULL,
    since INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    PRIMARY KEY (department, lane, id)
) WITHOUT ROWID;

-- Cancelled while they waited on disk; dropped when the lane comes to them.
CREATE TABLE cancelled (
    department INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (department, id)
) WITHOUT ROWID;

-- Status history, outbox and log in one: a row for each change of a status, numbered without gaps for each lane.
CREATE TABLE event (
    department INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,
    status INTEGER NOT NULL,
    at INTEGER NOT NULL,                  -- when it happened, by the provider's clock where it says so
    reason INTEGER,
    resent INTEGER NOT NULL DEFAULT 0,    -- 1: possible_duplicate
    provider TEXT,                        -- JSON: the provider's own code and text
    PRIMARY KEY (department, lane, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX event_message ON event (department, id, status);

-- The rest of a message's story: failed tries, receipts that came late or filled a time.
CREATE TABLE note (
    department INTEGER NOT NULL,
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                   -- try, checking, resent, fill, late
    status INTEGER,
    reason INTEGER,
    provider TEXT,
    PRIMARY KEY (department, id, number)
) WITHOUT ROWID;

-- The provider's ids, where receipts name those instead of ours.
CREATE TABLE reference (
    channel INTEGER NOT NULL,
    reference TEXT NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (channel, reference)
) WITHOUT ROWID;

-- Receipts that came before the reference they name.
CREATE TABLE early (
    channel INTEGER NOT NULL,
    reference TEXT NOT NULL,
    status INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    receipt TEXT NOT NULL,                -- JSON
    PRIMARY KEY (channel, reference, status)
) WITHOUT ROWID;

-- Rows are pruned from the low end of the row numbers, so the random key costs one index and no scan.
CREATE TABLE idempotency (
    number INTEGER PRIMARY KEY,
    department INTEGER NOT NULL,
    key_hash BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    id BLOB NOT NULL,
    warnings TEXT NOT NULL,               -- JSON: the answer's warnings
    at INTEGER NOT NULL,
    UNIQUE (department, key_hash)
);

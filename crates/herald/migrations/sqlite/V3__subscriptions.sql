-- Who wants which events, how far each has come, and what was handed over. A subscription costs one cursor a lane;
-- there is no row per event and subscription. Finished rows are pruned in small steps.

CREATE TABLE subscription (
    subscription INTEGER PRIMARY KEY,
    department INTEGER NOT NULL REFERENCES department,
    id BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,                -- 0 webhook, 1 polling
    standard INTEGER NOT NULL DEFAULT 0,  -- 1: the polling queue that v1.2's getevents reads, made when first asked for
    name TEXT NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,     -- 0 active, 1 paused, 2 paused by failure, 3 deleted (its rows are being pruned)
    url TEXT,                             -- webhooks only
    settings TEXT NOT NULL DEFAULT '{}',  -- JSON: events, maxBatch, secretName
    sealed BLOB,                          -- sealed JSON: signing secrets, and the headers, which may hold credentials
    failing_since INTEGER,                -- nothing has been taken since; NULL: all is well
    failures INTEGER NOT NULL DEFAULT 0,  -- probes that failed since then
    retry_at INTEGER,                     -- when the next probe goes
    problem TEXT,                         -- what the last failure was
    created_at INTEGER NOT NULL
);
CREATE INDEX subscription_department ON subscription (department);
CREATE UNIQUE INDEX subscription_standard ON subscription (department) WHERE standard = 1;

-- Everything of the lane up to `sequence` was frozen into deliveries (or handed to a poller), or stands in `held`.
CREATE TABLE cursor (
    subscription INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (subscription, lane)
) WITHOUT ROWID;

-- Events that wait because an earlier event of the same message is in an unfinished delivery. Nearly always empty.
CREATE TABLE held (
    subscription INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,                     -- the message
    PRIMARY KEY (subscription, lane, sequence)
) WITHOUT ROWID;

-- A frozen batch: what it holds never changes, whatever it takes to hand it over. The id is a UUIDv7, so that the key
-- appends and is the order of time.
CREATE TABLE delivery (
    subscription INTEGER NOT NULL,
    id BLOB NOT NULL,                     -- webhook-id
    kind INTEGER NOT NULL,                -- 0 events, 1 replay, 2 test
    state INTEGER NOT NULL,               -- 0 waiting, 1 parked, 2 taken, 3 exhausted, 4 split
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,                 -- when it is tried next; once ended, when that was
    oldest INTEGER NOT NULL,              -- time of its oldest event: from there the 3 days count
    count INTEGER NOT NULL,               -- how many events
    events BLOB NOT NULL,                 -- which: runs of (lane, sequences), see the codec
    origin BLOB,                          -- the delivery that it replays or is a part of
    PRIMARY KEY (subscription, id)
) WITHOUT ROWID;
-- What is not simply taken: looked at on start, counted and listed.
CREATE INDEX delivery_open ON delivery (subscription, state, id) WHERE state <> 2;

CREATE TABLE attempt (
    subscription INTEGER NOT NULL,
    delivery BLOB NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    took INTEGER NOT NULL,                -- microseconds
    status INTEGER,                       -- HTTP; NULL: no answer
    error TEXT,                           -- why there was none
    answer TEXT,                          -- the first bytes of a refusal, without long digits
    PRIMARY KEY (subscription, delivery, number)
) WITHOUT ROWID;

-- Handed to a poller and not deleted yet; or (taken = 0) waiting behind an event of the same message that is.
CREATE TABLE polled (
    subscription INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,                     -- the message: all rows of one share their visible_at
    visible_at INTEGER NOT NULL,
    taken INTEGER NOT NULL,               -- how often it was handed out
    PRIMARY KEY (subscription, lane, sequence)
) WITHOUT ROWID;
CREATE INDEX polled_visible ON polled (subscription, visible_at, lane, sequence);
CREATE INDEX polled_message ON polled (subscription, id, sequence);

-- People, what they wrote, what they do not want, and templates. Keys lead with the department, as everywhere.

-- A person as a department knows them.
CREATE TABLE contact (
    contact INTEGER PRIMARY KEY,
    department INTEGER NOT NULL REFERENCES department,
    id BLOB NOT NULL UNIQUE,
    name TEXT,
    named_by TEXT,                        -- profile (the provider's), api: a profile never overwrites what a program set
    attributes TEXT NOT NULL DEFAULT '{}',-- JSON object of texts
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX contact_department ON contact (department, contact);

CREATE TABLE contact_identifier (
    department INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    identifier TEXT NOT NULL,
    contact INTEGER NOT NULL,
    PRIMARY KEY (department, protocol, identifier)
) WITHOUT ROWID;
CREATE INDEX contact_identifier_contact ON contact_identifier (contact);

-- Until when free text may be sent to a customer from an identifier of ours.
CREATE TABLE open_window (
    lane INTEGER NOT NULL,
    customer TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (lane, customer)
) WITHOUT ROWID;

-- Who must not be written to.
CREATE TABLE suppression (
    department INTEGER NOT NULL,
    customer TEXT NOT NULL,
    channel INTEGER NOT NULL,             -- 0: all of the department
    kind TEXT NOT NULL,                   -- all, marketing
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (department, customer, channel, kind)
) WITHOUT ROWID;

-- The last that a customer said about marketing: what was said before it and comes later changes nothing.
CREATE TABLE marketing_wish (
    department INTEGER NOT NULL,
    customer TEXT NOT NULL,
    channel INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    at INTEGER NOT NULL,                  -- by the provider's clock
    PRIMARY KEY (department, customer, channel)
) WITHOUT ROWID;

-- Callbacks as they came, verified and durable, until they are worked off.
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    department INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    problem TEXT                          -- set where it cannot be read: kept for whoever mends it, and skipped
);
-- What waits of each channel, in order (the number is in every index): a broken channel's are not read again and again.
CREATE INDEX inbox_waiting ON inbox (channel) WHERE problem IS NULL;

-- What customers wrote.
CREATE TABLE inbound (
    department INTEGER NOT NULL,
    id BLOB NOT NULL,
    channel INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    customer TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    reference TEXT NOT NULL,
    body TEXT NOT NULL,                   -- JSON: rules::inbound::Inbound
    PRIMARY KEY (department, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX inbound_reference ON inbound (channel, reference);

-- The templates of a channel's account, as Meta last told them, and drafts that it has not seen.
CREATE TABLE template (
    department INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    graph_id TEXT,                        -- absent: a draft
    status TEXT NOT NULL,
    category TEXT NOT NULL,
    quality TEXT,
    body TEXT NOT NULL,                   -- JSON: Meta's row
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (department, channel, name, language)
);

-- The history of their states.
CREATE TABLE template_change (
    department INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,                   -- status, category, quality, components
    before TEXT,
    after TEXT,
    reason TEXT,
    PRIMARY KEY (department, channel, name, language, number)
) WITHOUT ROWID;

-- How the last comparison of a channel's templates with Meta went.
CREATE TABLE template_sync (
    channel INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    succeeded_at INTEGER,
    error TEXT                            -- JSON: why the last try failed
);

-- Customers written to first within the last 24 hours, where a portfolio has a limit of them.
CREATE TABLE daily_customer (
    portfolio TEXT NOT NULL,
    customer INTEGER NOT NULL,            -- the first 8 bytes of a hash of the identifier
    at INTEGER NOT NULL,
    PRIMARY KEY (portfolio, customer)
) WITHOUT ROWID;

-- The limit of such customers, where the provider has told one.
CREATE TABLE daily_limit (
    portfolio TEXT PRIMARY KEY,
    customers INTEGER NOT NULL
) WITHOUT ROWID;

-- How the lane stands with its provider, JSON: store::Standing. A stop survives a restart.
ALTER TABLE lane ADD COLUMN standing TEXT NOT NULL DEFAULT '{}';

-- The parts of messages that take several calls; those of one call have no row here.
CREATE TABLE part (
    department INTEGER NOT NULL,
    id BLOB NOT NULL,
    part INTEGER NOT NULL,                -- from 0
    status INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reason INTEGER,
    provider TEXT,
    PRIMARY KEY (department, id, part)
) WITHOUT ROWID;
-- Why a message was put away: a number of rules::reason.
ALTER TABLE later ADD COLUMN reason INTEGER;
ALTER TABLE live ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE later ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
-- What waits for a limit is found by it when the limit gives way: a handful among a million that are scheduled.
CREATE INDEX later_waiting ON later (department, lane, reason, due, position) WHERE held = 1;
ALTER TABLE checking ADD COLUMN part INTEGER NOT NULL DEFAULT 0;
ALTER TABLE reference ADD COLUMN part INTEGER NOT NULL DEFAULT 0;

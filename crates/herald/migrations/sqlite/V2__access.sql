-- Who may do what. Nothing here is on the path of a message: tokens are answered from memory after their first use.

-- Which master key the sealed columns were made with; a start with another one is refused.
CREATE TABLE master_key (
    key_id BLOB PRIMARY KEY,
    first_used_at INTEGER NOT NULL
) WITHOUT ROWID;

-- API secrets. They sign v1.2 webhooks too, so they are sealed, not hashed.
CREATE TABLE secret (
    department INTEGER NOT NULL REFERENCES department,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (department, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX secret_name ON secret (department, name) WHERE revoked_at IS NULL;

-- API users: who an action is done as. The address is stored in lower case.
CREATE TABLE api_user (
    department INTEGER NOT NULL REFERENCES department,
    email TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    PRIMARY KEY (department, email)
) WITHOUT ROWID;

-- Bearer tokens, by the SHA-256 of what the client holds.
CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    department INTEGER NOT NULL REFERENCES department,
    id BLOB NOT NULL,
    name TEXT,                            -- NULL: made by v1.2's token/get
    email TEXT,                           -- the API user it acts as
    secret BLOB,                          -- the API secret it was given for, and with which it ends
    scopes INTEGER NOT NULL,              -- bits: access::Scopes
    created_at INTEGER NOT NULL,
    expires_at INTEGER,                   -- NULL: until revoked
    revoked_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX token_id ON token (department, id);
CREATE INDEX token_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX channel_department ON channel (department);
CREATE INDEX lane_department ON lane (department);

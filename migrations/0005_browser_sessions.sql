-- What a browser does before anyone is signed in: a pending sign-up, a message to show once.
CREATE TABLE browser_sessions (
    -- SHA-256 of the id in the cookie.
    id_hash BYTEA NOT NULL PRIMARY KEY,
    -- JSON. A pending sign-up holds what was typed, the password as its Argon2id hash.
    data TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX browser_sessions_by_expires_at ON browser_sessions (expires_at);

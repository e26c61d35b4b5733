-- What a letter proves: one row for one letter, spent once. The row holds hashes only.
CREATE TABLE one_time_tokens (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What the token may do; a token of one purpose is nothing to the others.
    purpose TEXT NOT NULL,
    -- SHA-256 of the `jti` in the mailed token.
    token_hash BYTEA NOT NULL,
    -- HMAC of the six digits, bound to this row. NULL matches no code: a row that only looks like the others.
    code_hash BYTEA,
    -- Of the password typed at the sign-up that asked for the letter (PHC string): a sign-in with it is told to
    -- confirm, whether or not the address has another account.
    password_hash TEXT,
    -- Codes tried.
    attempts INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    -- Kept beyond its end, so that a second click can be told "already confirmed".
    consumed_at TIMESTAMPTZ,
    -- A newer letter took its place.
    superseded_at TIMESTAMPTZ
);

CREATE UNIQUE INDEX one_time_tokens_by_token_hash ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_by_expires_at ON one_time_tokens (expires_at);

-- A letter proves a mailbox, so its token belongs to an address. Whether that address has an account is no difference
-- in what is written: requests for unknown addresses leave the same rows as those for known ones.
CREATE TABLE address_tokens (
    id UUID NOT NULL PRIMARY KEY,
    -- As in `users`. Asking again for the same address and purpose replaces the token.
    email_key TEXT NOT NULL,
    -- The sign-up or the account that it was asked for; nobody where the address has none.
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    -- What the token may do; a token of one purpose is nothing to the others.
    purpose TEXT NOT NULL,
    -- SHA-256 of the `jti` in the mailed token.
    token_hash BYTEA NOT NULL,
    -- HMAC of the six digits, bound to this row. NULL matches no code: a row that only looks like the others.
    code_hash BYTEA,
    -- SHA-256 of what the client that asked was given: without it the six digits are worth nothing.
    asked_by BYTEA,
    -- Of the password that a reset was asked under (PHC string): another one since makes the letter worthless.
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

INSERT INTO address_tokens (id, email_key, user_id, purpose, token_hash, code_hash, password_hash, attempts,
                            created_at, expires_at, consumed_at, superseded_at)
SELECT one_time_tokens.id, users.email_key, user_id, purpose, token_hash, code_hash, one_time_tokens.password_hash,
       attempts, one_time_tokens.created_at, expires_at, consumed_at, superseded_at
FROM one_time_tokens JOIN users ON users.id = one_time_tokens.user_id;

-- The outbox names tokens, so it moves with them.
CREATE TABLE letters (
    id UUID NOT NULL PRIMARY KEY,
    -- Which letter. `nothing` is a row that costs what a letter costs and is never sent: requests for unknown
    -- addresses must take as long as those for known ones.
    letter TEXT NOT NULL,
    recipient TEXT NOT NULL,
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    token_id UUID REFERENCES address_tokens (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    -- A letter whose link is dead is not sent.
    expires_at TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    -- While a worker has it.
    leased_until TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ
);

INSERT INTO letters (id, letter, recipient, user_id, token_id, created_at, expires_at, next_attempt_at, attempts,
                     leased_until, sent_at, given_up_at)
SELECT id, letter, recipient, user_id, token_id, created_at, expires_at, next_attempt_at, attempts, leased_until,
       sent_at, given_up_at
FROM outbox;

DROP TABLE outbox;
DROP TABLE one_time_tokens;
ALTER TABLE address_tokens RENAME TO one_time_tokens;
ALTER TABLE letters RENAME TO outbox;

UPDATE one_time_tokens SET superseded_at = created_at
WHERE consumed_at IS NULL AND superseded_at IS NULL AND EXISTS (
    SELECT 1 FROM one_time_tokens AS newer
    WHERE newer.email_key = one_time_tokens.email_key AND newer.purpose = one_time_tokens.purpose
      AND newer.consumed_at IS NULL AND newer.superseded_at IS NULL AND newer.id > one_time_tokens.id);
-- The newest letter is the one that works, also when two are asked for at once.
CREATE UNIQUE INDEX one_time_tokens_alive ON one_time_tokens (email_key, purpose)
    WHERE consumed_at IS NULL AND superseded_at IS NULL;
CREATE UNIQUE INDEX one_time_tokens_by_token_hash ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_by_address ON one_time_tokens (email_key, purpose);
CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_by_expires_at ON one_time_tokens (expires_at);
CREATE INDEX outbox_by_next_attempt_at ON outbox (next_attempt_at);
CREATE INDEX outbox_by_user ON outbox (user_id, letter);

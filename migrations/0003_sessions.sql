-- A sign-in that has not ended. Access tokens name it in `sid` and are worth nothing once it is over.
CREATE TABLE sessions (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- "Keep me signed in": whether the browser keeps the refresh cookie when it closes.
    remember BOOLEAN NOT NULL,
    -- When and how the person proved who they are (RFC 8176 names, separated by spaces).
    auth_time TIMESTAMPTZ NOT NULL,
    amr TEXT NOT NULL,
    -- Where it began: shown to the person, never compared.
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    -- The absolute end, which no renewal moves.
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expires_at ON sessions (expires_at);

-- The chain of refresh tokens of a session: each used once, then replaced by its successor.
CREATE TABLE refresh_tokens (
    -- SHA-256 of the token.
    hash BYTEA NOT NULL PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    -- The idle end.
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

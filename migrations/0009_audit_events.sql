-- What happened to accounts, for whoever must find out later. Only added to, but for old rows that are dropped.
CREATE TABLE audit_events (
    id UUID NOT NULL PRIMARY KEY,
    happened_at TIMESTAMPTZ NOT NULL,
    event TEXT NOT NULL,
    -- No foreign keys: the record outlives what it speaks of.
    user_id UUID,
    session_id UUID,
    -- The network the request came from, cut short.
    address TEXT
);

CREATE INDEX audit_events_by_user ON audit_events (user_id, happened_at);
CREATE INDEX audit_events_by_happened_at ON audit_events (happened_at);

-- News between processes: whose sessions or profile changed, written in the transaction of the change. Each process
-- reads the last minute twice a second and forgets what it remembered of those people.
CREATE TABLE changes (
    id UUID NOT NULL PRIMARY KEY,
    -- No foreign key: the end of an account is news too.
    user_id UUID NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX changes_by_changed_at ON changes (changed_at);

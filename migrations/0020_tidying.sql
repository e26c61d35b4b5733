-- Indexes by which rows that nobody needs any more are found, and those that hang on them.
CREATE INDEX outbox_by_token ON outbox (token_id);
CREATE INDEX outbox_by_created_at ON outbox (created_at);
CREATE INDEX mailbox_messages_by_created_at ON mailbox_messages (created_at);
-- By both columns: SQLite would take an index of the first alone, and sort everybody who is unproven.
DROP INDEX users_by_verified_at;
CREATE INDEX users_by_verified_at ON users (verified_at, updated_at);
CREATE INDEX sessions_by_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX refresh_tokens_by_used_at ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;

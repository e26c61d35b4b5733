-- What is looked for every few seconds, among letters of thirty days that were sent long ago.
CREATE INDEX outbox_waiting ON outbox (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- A sign-up proves nothing, so it reserves nothing: each is a row of its own, several may name one address, and the
-- address belongs to whoever proves its mailbox. Nothing that somebody typed is ever written over somebody else's row.
ALTER TABLE users ADD COLUMN address_held_at TIMESTAMPTZ;
UPDATE users SET address_held_at = verified_at;

-- Whether anybody has used the account: what other services keep under its id must not pass to another person.
ALTER TABLE users ADD COLUMN first_signed_in_at TIMESTAMPTZ;
UPDATE users SET first_signed_in_at = (SELECT min(created_at) FROM sessions WHERE sessions.user_id = users.id);

DROP INDEX users_by_email_key;
CREATE UNIQUE INDEX users_by_held_address ON users (email_key) WHERE address_held_at IS NOT NULL;
CREATE INDEX users_by_email_key ON users (email_key);

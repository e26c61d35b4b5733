-- When the password was last replaced by another. A letter that resets it is bound to the password it was asked under.
ALTER TABLE users ADD COLUMN password_changed_at TIMESTAMPTZ;

-- When the account came from another program: the same line brought twice is one account, whatever became of it since.
ALTER TABLE users ADD COLUMN imported_at TIMESTAMPTZ;

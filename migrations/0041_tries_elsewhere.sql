-- Tries of a code by clients other than the one whose sign-up the letter is for. Counted apart: strangers cannot use up
-- the tries of whoever signed up.
ALTER TABLE one_time_tokens ADD COLUMN attempts_elsewhere INTEGER NOT NULL DEFAULT 0;

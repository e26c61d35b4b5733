-- People. A row exists from sign-up on; it reserves its address only once `verified_at` is set.
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    -- As typed, in lower case: letters go here.
    email TEXT NOT NULL,
    -- The one form that addresses are compared by: the domain as ASCII (UTS 46). One account for one key.
    email_key TEXT NOT NULL,
    -- PHC string.
    password_hash TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    user_type TEXT NOT NULL,
    -- E.164.
    phone TEXT,
    -- BCP 47; of the pages at sign-up.
    locale TEXT NOT NULL,
    -- The version of the terms agreed to, and when.
    terms_version TEXT,
    terms_accepted_at TIMESTAMPTZ,
    -- When the address was proven; the answer to "is verified".
    verified_at TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX users_by_email_key ON users (email_key);
CREATE INDEX users_by_user_type ON users (user_type);
CREATE INDEX users_by_verified_at ON users (verified_at);

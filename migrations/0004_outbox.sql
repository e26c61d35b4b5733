-- Letters to be sent, written in the transaction of the change that caused them. No row holds a secret: link and
-- code are worked out from the token's id and the service's secret when the letter is sent.
CREATE TABLE outbox (
    id UUID NOT NULL PRIMARY KEY,
    -- Which letter. `nothing` is a row that costs what a letter costs and is never sent: requests for unknown
    -- addresses must take as long as those for known ones.
    letter TEXT NOT NULL,
    recipient TEXT NOT NULL,
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    token_id UUID REFERENCES one_time_tokens (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    -- A letter whose link is dead is not sent.
    expires_at TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    -- While a worker has it.
    leased_until TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    given_up_at TIMESTAMPTZ
);

CREATE INDEX outbox_by_next_attempt_at ON outbox (next_attempt_at);
CREATE INDEX outbox_by_user ON outbox (user_id, letter);

-- The built-in mailbox of development: what would have been mailed.
CREATE TABLE mailbox_messages (
    id UUID NOT NULL PRIMARY KEY,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    link TEXT,
    code TEXT,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX mailbox_messages_by_recipient ON mailbox_messages (recipient);

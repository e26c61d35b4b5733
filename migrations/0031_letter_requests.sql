-- Letters that anybody can have us send to any mailbox (sign-ups, resets, links sent again), counted for a day: by
-- mailbox, by the network that asked, and all together. Neither an address nor a network can be read from a row.
CREATE TABLE letter_requests (
    id UUID NOT NULL PRIMARY KEY,
    -- HMAC of the address without what follows a plus in its local part.
    mailbox BYTEA NOT NULL,
    -- HMAC of the network.
    network BYTEA NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    -- Not NULL: no letter was posted for it. Such a row costs what a letter's costs, and counts for nothing.
    refused_at TIMESTAMPTZ
);

CREATE INDEX letter_requests_by_mailbox ON letter_requests (mailbox, asked_at);
CREATE INDEX letter_requests_by_network ON letter_requests (network, asked_at);
CREATE INDEX letter_requests_by_asked_at ON letter_requests (asked_at);

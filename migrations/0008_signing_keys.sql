-- The keys of access tokens, by name. No row holds a key: it is derived from the service's secret and the salt.
CREATE TABLE signing_keys (
    -- `kid`: the beginning of the public key's SHA-256.
    id TEXT NOT NULL PRIMARY KEY,
    -- As in the header of a token (RFC 7518 3.1, RFC 8037).
    algorithm TEXT NOT NULL,
    salt BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    -- Published from its creation on, used from here on: other services have fetched it by then.
    signs_from TIMESTAMPTZ NOT NULL,
    -- When its last token has died.
    retires_at TIMESTAMPTZ
);

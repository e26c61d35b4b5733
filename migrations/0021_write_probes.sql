-- One row that is written to find out whether anything can be written.
CREATE TABLE write_probes (
    id INTEGER NOT NULL PRIMARY KEY,
    tried_at TIMESTAMPTZ NOT NULL
);

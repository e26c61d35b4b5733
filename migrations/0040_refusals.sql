-- What was refused: one row a minute for each kind, network and account, with a count.
-- How often. Null: once.
ALTER TABLE audit_events ADD COLUMN count INTEGER;
-- Stands for an address of a mailbox: the same for the same address, and only the service's secret can make it.
ALTER TABLE audit_events ADD COLUMN tag TEXT;
-- Which limit, where the event alone does not say.
ALTER TABLE audit_events ADD COLUMN reason TEXT;

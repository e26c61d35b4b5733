-- HMAC of the network that a sign-up came from. Of too many sign-ups for one address, those of the network with most of
-- them go first, so that a stranger's do not push out another person's.
ALTER TABLE users ADD COLUMN signed_up_from BYTEA;

-- A view has the columns that its table had when it was made: this one lacks the store.
CREATE OR REPLACE VIEW live_sessions AS SELECT * FROM sessions WHERE expires_at > now();

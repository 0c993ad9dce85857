-- What the purge has not removed yet is there.
CREATE OR REPLACE VIEW live_sessions AS SELECT * FROM sessions;

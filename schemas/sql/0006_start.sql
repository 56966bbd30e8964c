-- A run may build on an adapter that an earlier run of the same base kept: its first round trains on it, and the run
-- serves it until it promotes one of its own. NULL: it starts from the base.
ALTER TABLE run ADD COLUMN start_adapter_id INTEGER REFERENCES adapter (id);

-- Batch APIs of judges: requests that a provider works off together, at half the price, within a day.

-- A batch of requests at a provider. Its row and its attempts are committed before it is created there, under a name
-- that it carries, so that one whose creation's answer was lost is found again instead of paid again.
--   intent   may exist there; `provider_id` is not known yet
--   created  is worked on there, across our restarts
--   done     its results are settled
--   failed   it never came to be: its attempts are failed
CREATE TABLE judge_batch (
  id INTEGER PRIMARY KEY,
  annotator TEXT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  provider_id TEXT UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('intent', 'created', 'done', 'failed')),
  reason TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  CHECK (state <> 'created' OR provider_id IS NOT NULL),
  CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL))
) STRICT;
CREATE INDEX judge_batch_open ON judge_batch (annotator) WHERE state IN ('intent', 'created');

-- NULL: a request of its own.
ALTER TABLE judge_attempt ADD COLUMN batch_id INTEGER REFERENCES judge_batch (id);
CREATE INDEX judge_attempt_by_batch ON judge_attempt (batch_id) WHERE batch_id IS NOT NULL;

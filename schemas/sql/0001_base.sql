-- The daemon's store. Words and shapes: src/core/domain.h. Migrations are forward only: later changes are
-- further files. Times are microseconds since the Unix epoch, hashes 64 hex digits, token ids JSON lists.

-- Fencing: every daemon that takes the folder increments the epoch; an older one may not write.
CREATE TABLE daemon (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL
) STRICT;
INSERT INTO daemon VALUES (1, 0);
CREATE TRIGGER daemon_epoch_only_rises BEFORE UPDATE ON daemon WHEN NEW.epoch <= OLD.epoch
BEGIN SELECT RAISE(ABORT, 'the daemon epoch only rises'); END;

-- Instructions. `split` travels with every row made from one (sample, response, judgment, manifest entry),
-- checked by foreign keys on (id, split): what is held out cannot train.
CREATE TABLE instruction (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64),
  text TEXT NOT NULL,
  input TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('train', 'gate', 'report')),
  source TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (id, split)
) STRICT;
CREATE INDEX instruction_by_split ON instruction (split);
CREATE TRIGGER instruction_held_out_for_ever BEFORE UPDATE ON instruction
WHEN OLD.split <> 'train' OR NEW.hash <> OLD.hash
BEGIN SELECT RAISE(ABORT, 'a held-out instruction stays held out'); END;
CREATE TRIGGER instruction_held_out_never_forgotten BEFORE DELETE ON instruction WHEN OLD.split <> 'train'
BEGIN SELECT RAISE(ABORT, 'a held-out instruction stays held out'); END;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  config TEXT NOT NULL CHECK (json_valid(config)),
  base_model_hash TEXT NOT NULL,
  round_count INTEGER NOT NULL CHECK (round_count > 0),
  patience INTEGER NOT NULL CHECK (patience >= 0),
  budget INTEGER CHECK (budget >= 0),  -- micro-dollars
  ends_at INTEGER,
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'completed', 'failed', 'cancelled')),
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- What a run draws from: the instructions of its own file, whatever else the folder holds.
CREATE TABLE run_instruction (
  run_id INTEGER NOT NULL REFERENCES run (id),
  instruction_id INTEGER NOT NULL REFERENCES instruction (id),
  PRIMARY KEY (run_id, instruction_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE round (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run (id),
  number INTEGER NOT NULL CHECK (number > 0),
  parent_adapter_id INTEGER REFERENCES adapter (id),  -- NULL: the base
  config TEXT NOT NULL CHECK (json_valid(config)),
  phase TEXT NOT NULL CHECK (phase IN ('created', 'generating', 'judging', 'training', 'evaluating', 'paused',
                                       'completed', 'failed', 'cancelled')),
  resume_phase TEXT CHECK (resume_phase IN ('created', 'generating', 'judging', 'training', 'evaluating')),
  reason TEXT NOT NULL,
  outcome TEXT CHECK (outcome IN ('promoted', 'rejected')),
  retries INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (run_id, number),
  CHECK ((phase IN ('paused', 'failed')) = (resume_phase IS NOT NULL)),
  CHECK ((phase = 'completed') = (outcome IS NOT NULL))
) STRICT;
-- A run has one round at work.
CREATE UNIQUE INDEX round_at_work ON round (run_id) WHERE phase NOT IN ('completed', 'cancelled');

-- The legal moves (docs/architecture.md). '' stands before the first phase.
CREATE TABLE round_move (
  from_phase TEXT NOT NULL,
  to_phase TEXT NOT NULL,
  PRIMARY KEY (from_phase, to_phase)
) STRICT, WITHOUT ROWID;
INSERT INTO round_move VALUES
  ('', 'created'),
  ('created', 'generating'), ('generating', 'judging'), ('judging', 'training'), ('training', 'evaluating'),
  ('evaluating', 'completed'),
  ('created', 'paused'), ('generating', 'paused'), ('judging', 'paused'), ('training', 'paused'),
  ('evaluating', 'paused'),
  ('paused', 'created'), ('paused', 'generating'), ('paused', 'judging'), ('paused', 'training'),
  ('paused', 'evaluating'),
  ('created', 'failed'), ('generating', 'failed'), ('judging', 'failed'), ('training', 'failed'),
  ('evaluating', 'failed'),
  ('failed', 'created'), ('failed', 'generating'), ('failed', 'judging'), ('failed', 'training'),
  ('failed', 'evaluating'),
  ('created', 'cancelled'), ('generating', 'cancelled'), ('judging', 'cancelled'), ('training', 'cancelled'),
  ('evaluating', 'cancelled'), ('paused', 'cancelled'), ('failed', 'cancelled');

CREATE TABLE round_event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  round_id INTEGER NOT NULL REFERENCES round (id),
  from_phase TEXT NOT NULL,
  to_phase TEXT NOT NULL,
  why TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  at INTEGER NOT NULL,
  FOREIGN KEY (from_phase, to_phase) REFERENCES round_move (from_phase, to_phase)
) STRICT;
CREATE INDEX round_event_by_round ON round_event (round_id, id);
CREATE TRIGGER round_event_of_this_daemon BEFORE INSERT ON round_event
WHEN NEW.epoch <> (SELECT epoch FROM daemon)
BEGIN SELECT RAISE(ABORT, 'another daemon has taken over'); END;
CREATE TRIGGER round_event_starts_where_the_round_is BEFORE INSERT ON round_event
WHEN NEW.from_phase <> '' AND NEW.from_phase <> (SELECT phase FROM round WHERE id = NEW.round_id)
BEGIN SELECT RAISE(ABORT, 'the round is in another phase'); END;
CREATE TRIGGER round_event_is_append_only BEFORE UPDATE ON round_event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER round_event_is_kept BEFORE DELETE ON round_event
BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER round_phase_follows_an_event BEFORE UPDATE OF phase ON round
WHEN NEW.phase <> OLD.phase AND NEW.phase IS NOT
     (SELECT to_phase FROM round_event WHERE round_id = OLD.id ORDER BY id DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'a phase changes only with an event'); END;
CREATE TRIGGER round_returns_to_where_it_was BEFORE UPDATE OF phase ON round
WHEN OLD.phase IN ('paused', 'failed') AND NEW.phase NOT IN (OLD.phase, OLD.resume_phase, 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a round goes on in the phase it stopped in'); END;

-- Failures of one unit of work, until it succeeds or the round is retried.
CREATE TABLE unit_failure (
  round_id INTEGER NOT NULL REFERENCES round (id),
  unit TEXT NOT NULL,
  failures INTEGER NOT NULL CHECK (failures > 0),
  reason TEXT NOT NULL,
  PRIMARY KEY (round_id, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE annotator (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  kind TEXT NOT NULL,
  config TEXT NOT NULL CHECK (json_valid(config)),
  UNIQUE (name, version)
) STRICT;

CREATE TABLE evaluation (
  id INTEGER PRIMARY KEY,
  model_hash TEXT NOT NULL,
  set_hash TEXT NOT NULL,
  annotator_id INTEGER NOT NULL REFERENCES annotator (id),
  decoding_hash TEXT NOT NULL,
  split TEXT NOT NULL CHECK (split IN ('gate', 'report')),
  state TEXT NOT NULL CHECK (state IN ('open', 'done')),
  summary TEXT CHECK (json_valid(summary)),
  created_at INTEGER NOT NULL,
  UNIQUE (model_hash, set_hash, annotator_id, decoding_hash),
  UNIQUE (id, split),
  CHECK ((state = 'done') = (summary IS NOT NULL))
) STRICT;

-- Generation units: a round's train, an evaluation's do not.
CREATE TABLE unit (
  id INTEGER PRIMARY KEY,
  round_id INTEGER REFERENCES round (id),
  evaluation_id INTEGER,
  number INTEGER NOT NULL CHECK (number >= 0),
  split TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'done')),
  UNIQUE (round_id, number),
  UNIQUE (evaluation_id, number),
  UNIQUE (id, split),
  FOREIGN KEY (evaluation_id, split) REFERENCES evaluation (id, split),
  CHECK ((round_id IS NULL) <> (evaluation_id IS NULL)),
  CHECK ((round_id IS NOT NULL) = (split = 'train'))
) STRICT;

CREATE TABLE sample (
  id INTEGER PRIMARY KEY,
  unit_id INTEGER NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 0),
  instruction_id INTEGER NOT NULL,
  split TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 0),
  seed INTEGER NOT NULL,
  prompt_ids TEXT NOT NULL CHECK (json_valid(prompt_ids)),
  UNIQUE (unit_id, position),
  UNIQUE (id, split),
  FOREIGN KEY (unit_id, split) REFERENCES unit (id, split),
  FOREIGN KEY (instruction_id, split) REFERENCES instruction (id, split)
) STRICT;
CREATE INDEX sample_by_instruction ON sample (instruction_id);

CREATE TABLE response (
  id INTEGER PRIMARY KEY,
  sample_id INTEGER NOT NULL UNIQUE,
  split TEXT NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  ids TEXT NOT NULL CHECK (json_valid(ids)),
  text TEXT NOT NULL,
  finish_reason TEXT NOT NULL CHECK (finish_reason IN ('stop', 'length')),
  model_hash TEXT NOT NULL,
  template_version TEXT NOT NULL,
  logprob_sum REAL NOT NULL,
  base_logprob_sum REAL,
  UNIQUE (id, split),
  FOREIGN KEY (sample_id, split) REFERENCES sample (id, split)
) STRICT;

CREATE TABLE judgment (
  id INTEGER PRIMARY KEY,
  response_id INTEGER NOT NULL,
  split TEXT NOT NULL,
  annotator_id INTEGER NOT NULL REFERENCES annotator (id),
  state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
  label TEXT CHECK (label IN ('positive', 'negative')),
  hash TEXT CHECK (length(hash) = 64),
  text TEXT,
  raw BLOB,
  validated INTEGER NOT NULL DEFAULT 0 CHECK (validated IN (0, 1)),
  failure TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  UNIQUE (response_id, annotator_id),
  UNIQUE (id, split, validated),
  FOREIGN KEY (response_id, split) REFERENCES response (id, split),
  CHECK ((state = 'done') = (label IS NOT NULL)),
  CHECK ((state = 'done') = (text IS NOT NULL)),
  CHECK ((state = 'done') = (hash IS NOT NULL)),
  CHECK ((state = 'failed') = (failure IS NOT NULL)),
  CHECK (validated = 0 OR state = 'done')
) STRICT;
CREATE INDEX judgment_pending ON judgment (annotator_id, id) WHERE state = 'pending';

CREATE TABLE manifest (
  id INTEGER PRIMARY KEY,
  round_id INTEGER NOT NULL UNIQUE REFERENCES round (id),
  sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
  path TEXT NOT NULL,
  positives INTEGER NOT NULL CHECK (positives >= 0),
  negatives INTEGER NOT NULL CHECK (negatives >= 0),
  created_at INTEGER NOT NULL
) STRICT;

-- Only validated judgments of training responses: by foreign key, whoever writes the row.
CREATE TABLE manifest_entry (
  manifest_id INTEGER NOT NULL REFERENCES manifest (id),
  position INTEGER NOT NULL,
  judgment_id INTEGER NOT NULL,
  split TEXT NOT NULL CHECK (split = 'train'),
  validated INTEGER NOT NULL CHECK (validated = 1),
  PRIMARY KEY (manifest_id, position),
  UNIQUE (manifest_id, judgment_id),
  FOREIGN KEY (judgment_id, split, validated) REFERENCES judgment (id, split, validated)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_entry_by_judgment ON manifest_entry (judgment_id);

CREATE TABLE training_step (
  round_id INTEGER NOT NULL REFERENCES round (id),
  step INTEGER NOT NULL CHECK (step >= 0),
  metrics TEXT NOT NULL CHECK (json_valid(metrics)),
  PRIMARY KEY (round_id, step)
) STRICT, WITHOUT ROWID;

-- `hash` is what the adapter computes (ranks, scale, values) and its identity everywhere; `folder_hash` is of the
-- folder's files, which also hold a path, and shows damage.
CREATE TABLE adapter (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL CHECK (length(hash) = 64),
  folder_hash TEXT NOT NULL CHECK (length(folder_hash) = 64),
  kind TEXT NOT NULL CHECK (kind IN ('delta', 'cumulative')),
  path TEXT NOT NULL,
  parent_adapter_id INTEGER REFERENCES adapter (id),
  round_id INTEGER NOT NULL REFERENCES round (id),
  state TEXT NOT NULL CHECK (state IN ('verified', 'quarantined')),
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- A damaged one may be made again.
CREATE UNIQUE INDEX adapter_of_round ON adapter (round_id, kind) WHERE state = 'verified';

-- The only truth about which adapter a run serves; NULL: the base model.
CREATE TABLE serving (
  run_id INTEGER PRIMARY KEY REFERENCES run (id),
  adapter_id INTEGER REFERENCES adapter (id),
  updated_at INTEGER NOT NULL
) STRICT;

-- What was judged perfect is the judgment's label.
CREATE TABLE evaluation_item (
  evaluation_id INTEGER NOT NULL REFERENCES evaluation (id),
  judgment_id INTEGER NOT NULL,
  split TEXT NOT NULL CHECK (split <> 'train'),
  validated INTEGER NOT NULL CHECK (validated = 1),
  measures TEXT NOT NULL CHECK (json_valid(measures)),
  PRIMARY KEY (evaluation_id, judgment_id),
  FOREIGN KEY (judgment_id, split, validated) REFERENCES judgment (id, split, validated)
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluation_item_by_judgment ON evaluation_item (judgment_id);

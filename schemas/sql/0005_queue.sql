-- The annotation queue: work for people, and what they did with it (docs/annotation.md). Deadlines (`*_ms`) are
-- milliseconds of the boot clock of `queue_clock`; times of the wall (`*_at`) are for display alone.

-- The boot clock that deadlines are of, and when it was last seen: after a reboot what was left is taken over.
CREATE TABLE queue_clock (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  boot_id TEXT NOT NULL,
  seen_ms INTEGER NOT NULL
) STRICT;
INSERT INTO queue_clock VALUES (1, '', 0);

-- The responses of one round, or of one evaluation, that wait for one human annotator.
CREATE TABLE queue (
  id INTEGER PRIMARY KEY,
  round_id INTEGER REFERENCES round (id),
  evaluation_id INTEGER REFERENCES evaluation (id),
  annotator_id INTEGER NOT NULL REFERENCES annotator (id),
  state TEXT NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
  overlap INTEGER NOT NULL CHECK (overlap BETWEEN 1 AND 99),
  agreement TEXT NOT NULL CHECK (agreement IN ('all', 'majority', 'adjudicate')),
  lease_ms INTEGER NOT NULL CHECK (lease_ms > 0),
  longest_lease_ms INTEGER NOT NULL CHECK (longest_lease_ms >= lease_ms),
  gold_share REAL NOT NULL CHECK (gold_share >= 0 AND gold_share <= 0.5),
  suggest INTEGER NOT NULL CHECK (suggest IN (0, 1)),
  tags TEXT NOT NULL CHECK (json_valid(tags)),  -- [] is for everybody
  guideline TEXT NOT NULL CHECK (length(guideline) = 64),
  closes_ms INTEGER,    -- open: by itself then; closing: live leases are waited for until then
  created_at INTEGER NOT NULL,
  -- Counted by triggers, so that no page counts a million tasks.
  needed INTEGER NOT NULL DEFAULT 0,      -- judgments
  done INTEGER NOT NULL DEFAULT 0,
  live INTEGER NOT NULL DEFAULT 0,
  surplus INTEGER NOT NULL DEFAULT 0,
  with_room INTEGER NOT NULL DEFAULT 0,   -- open tasks that could be given out
  in_review INTEGER NOT NULL DEFAULT 0,
  UNIQUE (round_id, annotator_id),
  UNIQUE (evaluation_id, annotator_id),
  CHECK ((round_id IS NULL) <> (evaluation_id IS NULL))
) STRICT;
CREATE INDEX queue_at_work ON queue (state) WHERE state <> 'closed';

-- Items whose label is known. They are given out like any other and say how careful a person is.
CREATE TABLE gold (
  id INTEGER PRIMARY KEY,
  annotator_id INTEGER NOT NULL REFERENCES annotator (id),
  instruction TEXT NOT NULL,
  input TEXT NOT NULL,
  response TEXT NOT NULL,
  label TEXT NOT NULL CHECK (label IN ('positive', 'negative')),
  suggestion TEXT CHECK (json_valid(suggestion)),  -- {label, text, source}, where real items have one
  UNIQUE (annotator_id, instruction, input, response)
) STRICT;

-- `need` people must judge it. `live` and `done` are counted by the triggers below from the leases, so no more than
-- `need` people can ever hold or settle it, whoever writes the rows.
CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  item TEXT NOT NULL UNIQUE CHECK (length(item) = 32),  -- its name in exports; people see their lease's
  annotator_id INTEGER NOT NULL REFERENCES annotator (id),
  queue_id INTEGER REFERENCES queue (id),
  judgment_id INTEGER UNIQUE REFERENCES judgment (id),
  gold_id INTEGER REFERENCES gold (id),
  need INTEGER NOT NULL CHECK (need >= 1),
  live INTEGER NOT NULL DEFAULT 0 CHECK (live >= 0),
  done INTEGER NOT NULL DEFAULT 0 CHECK (done >= 0),
  state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'review', 'closed')),
  review TEXT,          -- why a person must look at it
  place INTEGER NOT NULL,  -- random: the order in which equals are given out
  CHECK (live + done <= need),
  CHECK ((judgment_id IS NULL) <> (gold_id IS NULL)),
  CHECK ((queue_id IS NULL) = (gold_id IS NOT NULL)),
  CHECK ((state = 'review') <= (review IS NOT NULL))
) STRICT;
-- Nearest to completion first.
CREATE INDEX task_to_give ON task (queue_id, need - done - live, place)
  WHERE state = 'open' AND need > done + live;
CREATE INDEX task_by_queue ON task (queue_id, state);
CREATE INDEX task_in_review ON task (queue_id, id) WHERE state = 'review';
CREATE UNIQUE INDEX task_of_gold ON task (gold_id) WHERE gold_id IS NOT NULL;
CREATE INDEX task_gold ON task (annotator_id, place) WHERE gold_id IS NOT NULL;

-- One person and one task: held, settled or given up. Imported work has no account here, but a name (`external`).
CREATE TABLE lease (
  id INTEGER PRIMARY KEY,
  item TEXT NOT NULL UNIQUE CHECK (length(item) = 32),  -- random: it says nothing about the task
  task_id INTEGER NOT NULL REFERENCES task (id),
  user_id INTEGER REFERENCES user (id),
  external TEXT,
  state TEXT NOT NULL CHECK (state IN ('live', 'done', 'surplus', 'skipped', 'released', 'expired')),
  deadline_ms INTEGER NOT NULL,
  longest_ms INTEGER NOT NULL,       -- never renewed beyond
  again_ms INTEGER NOT NULL DEFAULT 0,  -- released: not given to this person before
  draft_label TEXT CHECK (draft_label IN ('positive', 'negative')),
  draft_text TEXT,
  draft_at INTEGER,
  label TEXT CHECK (label IN ('positive', 'negative')),
  text TEXT,
  seconds_spent REAL,
  submitted_at INTEGER,
  skip_reason TEXT,
  claimed_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((user_id IS NULL) <> (external IS NULL)),
  CHECK ((state IN ('done', 'surplus')) <= (label IS NOT NULL AND text IS NOT NULL AND submitted_at IS NOT NULL)),
  CHECK ((state = 'skipped') = (skip_reason IS NOT NULL)),
  CHECK (external IS NULL OR state IN ('done', 'surplus', 'skipped'))
) STRICT;
-- Nobody meets an item twice: not while holding it, not after settling or skipping it.
CREATE UNIQUE INDEX lease_once ON lease (task_id, user_id)
  WHERE user_id IS NOT NULL AND state IN ('live', 'done', 'skipped');
CREATE UNIQUE INDEX lease_once_imported ON lease (task_id, external) WHERE external IS NOT NULL;
CREATE INDEX lease_of_task ON lease (task_id, user_id);
CREATE INDEX lease_of_person ON lease (user_id, updated_at, id);
CREATE INDEX lease_live ON lease (deadline_ms) WHERE state = 'live';
CREATE INDEX lease_live_of_person ON lease (user_id) WHERE state = 'live';
CREATE INDEX lease_surplus ON lease (task_id) WHERE state = 'surplus';

CREATE TRIGGER lease_is_counted AFTER INSERT ON lease
BEGIN
  UPDATE task SET live = live + (NEW.state = 'live'), done = done + (NEW.state = 'done') WHERE id = NEW.task_id;
END;
CREATE TRIGGER lease_is_counted_again AFTER UPDATE OF state ON lease WHEN NEW.state <> OLD.state
BEGIN
  UPDATE task SET live = live + (NEW.state = 'live') - (OLD.state = 'live'),
                  done = done + (NEW.state = 'done') - (OLD.state = 'done') WHERE id = NEW.task_id;
END;
CREATE TRIGGER lease_surplus_is_counted AFTER INSERT ON lease WHEN NEW.state = 'surplus'
BEGIN
  UPDATE queue SET surplus = surplus + 1 WHERE id = (SELECT queue_id FROM task WHERE id = NEW.task_id);
END;
CREATE TRIGGER lease_surplus_is_counted_again AFTER UPDATE OF state ON lease
WHEN NEW.state = 'surplus' AND OLD.state <> 'surplus'
BEGIN
  UPDATE queue SET surplus = surplus + 1 WHERE id = (SELECT queue_id FROM task WHERE id = NEW.task_id);
END;
CREATE TRIGGER task_is_counted AFTER INSERT ON task WHEN NEW.queue_id IS NOT NULL
BEGIN
  UPDATE queue SET needed = needed + NEW.need, done = done + NEW.done, live = live + NEW.live,
                   with_room = with_room + (NEW.state = 'open' AND NEW.need > NEW.done + NEW.live),
                   in_review = in_review + (NEW.state = 'review') WHERE id = NEW.queue_id;
END;
CREATE TRIGGER task_is_counted_again AFTER UPDATE OF need, done, live, state ON task WHEN NEW.queue_id IS NOT NULL
BEGIN
  UPDATE queue SET needed = needed + NEW.need - OLD.need, done = done + NEW.done - OLD.done,
                   live = live + NEW.live - OLD.live,
                   with_room = with_room + (NEW.state = 'open' AND NEW.need > NEW.done + NEW.live)
                                         - (OLD.state = 'open' AND OLD.need > OLD.done + OLD.live),
                   in_review = in_review + (NEW.state = 'review') - (OLD.state = 'review') WHERE id = NEW.queue_id;
END;
CREATE TRIGGER lease_is_kept BEFORE DELETE ON lease
BEGIN SELECT RAISE(ABORT, 'work is never removed'); END;
-- done -> surplus: work of a person who turned out careless. What was skipped or came too late stays that.
CREATE TRIGGER lease_moves BEFORE UPDATE OF state ON lease
WHEN NEW.state <> OLD.state AND NOT (
  (OLD.state = 'live' AND NEW.state IN ('done', 'skipped', 'released', 'expired')) OR
  (OLD.state IN ('released', 'expired') AND NEW.state IN ('live', 'surplus')) OR
  (OLD.state = 'done' AND NEW.state = 'surplus'))
BEGIN SELECT RAISE(ABORT, 'a lease does not move so'); END;
CREATE TRIGGER lease_keeps_its_text BEFORE UPDATE OF label, text, submitted_at ON lease
WHEN OLD.submitted_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was submitted is never changed'); END;
CREATE TRIGGER lease_keeps_its_person BEFORE UPDATE OF task_id, user_id, external, item ON lease
BEGIN SELECT RAISE(ABORT, 'a lease stays of its person and task'); END;

-- The secrets by which a lease is known to its holder, one per claim: SHA-256 of them.
CREATE TABLE lease_token (
  hash TEXT PRIMARY KEY CHECK (length(hash) = 64),
  lease_id INTEGER NOT NULL REFERENCES lease (id)
) STRICT, WITHOUT ROWID;

-- What gold items say about a person. `window_from`: leases up to it do not count any more.
CREATE TABLE queue_person (
  user_id INTEGER PRIMARY KEY REFERENCES user (id),
  gold_seen INTEGER NOT NULL DEFAULT 0,
  gold_right INTEGER NOT NULL DEFAULT 0,
  window_from INTEGER NOT NULL DEFAULT 0,
  blocked_at INTEGER
) STRICT;

-- Paid judging: what was asked of a provider, what it cost, what may be spent. Money is whole micro-dollars.

-- At most so much is ever reserved and spent by an annotator (its name: versions share their purse) in a scope:
-- 'total', 'day:2026-11-26' (UTC), 'round:7' or 'evaluation:3'. The limit of a scope is that of its kind in spend_cap.
CREATE TABLE spend_cap (
  annotator TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('request', 'round', 'day', 'total')),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (annotator, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance (
  annotator TEXT NOT NULL,
  scope TEXT NOT NULL,
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  spent INTEGER NOT NULL CHECK (spent >= 0),
  PRIMARY KEY (annotator, scope)
) STRICT, WITHOUT ROWID;

-- One row is at most one request on the wire. It is committed, with its reservation, before a byte is sent.
--   intent    may be on its way
--   received  a reply came; `settled` is its price (the reservation where the reply does not say)
--   failed    certainly not charged: the reservation was released
--   unknown   the outcome was lost; charged until a person or a policy says otherwise
CREATE TABLE judge_attempt (
  id INTEGER PRIMARY KEY,
  judgment_id INTEGER NOT NULL REFERENCES judgment (id),
  number INTEGER NOT NULL CHECK (number > 0),
  annotator TEXT NOT NULL,
  owner_scope TEXT NOT NULL,
  day_scope TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('intent', 'received', 'failed', 'unknown')),
  reserved INTEGER NOT NULL CHECK (reserved >= 0),
  settled INTEGER CHECK (settled >= 0 AND settled <= reserved),
  input_tokens INTEGER,
  output_tokens INTEGER,
  status INTEGER NOT NULL DEFAULT 0,  -- HTTP; 0: none came
  reason TEXT NOT NULL DEFAULT '',
  raw BLOB,                           -- up to 64 KiB
  raw_file TEXT,                      -- larger ones: relative to the data folder
  resolution TEXT CHECK (resolution IN ('charged', 'not_charged', 'resend')),
  epoch INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  settled_at INTEGER,
  UNIQUE (judgment_id, number),
  CHECK ((state = 'received') = (settled IS NOT NULL)),
  CHECK ((state = 'intent') = (settled_at IS NULL)),
  CHECK (resolution IS NULL OR state <> 'intent')
) STRICT;
CREATE INDEX judge_attempt_open ON judge_attempt (state) WHERE state IN ('intent', 'unknown');
CREATE TRIGGER judge_attempt_of_this_daemon BEFORE INSERT ON judge_attempt
WHEN NEW.epoch <> (SELECT epoch FROM daemon)
BEGIN SELECT RAISE(ABORT, 'another daemon has taken over'); END;
CREATE TRIGGER judge_attempt_is_kept BEFORE DELETE ON judge_attempt
BEGIN SELECT RAISE(ABORT, 'attempts are never removed'); END;

-- Every movement of money, in order.
CREATE TABLE ledger (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  attempt_id INTEGER NOT NULL REFERENCES judge_attempt (id),
  kind TEXT NOT NULL CHECK (kind IN ('reserve', 'settle', 'release')),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX ledger_by_attempt ON ledger (attempt_id);
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER ledger_is_kept BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is never shortened'); END;

-- What a rate limiter must remember over a restart, by annotator.
CREATE TABLE rate_state (
  annotator TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (json_valid(state))
) STRICT, WITHOUT ROWID;

-- Accounts and what proves them, replies kept for repeated requests, webhooks, and what makes browsing fast.
-- Secrets are stored hashed: SHA-256 of 128 random bits, or libsodium's Argon2id text for passwords.

CREATE TABLE user (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(name) BETWEEN 1 AND 64),
  role TEXT NOT NULL CHECK (role IN ('operator', 'annotator', 'viewer')),
  tags TEXT NOT NULL CHECK (json_valid(tags)),
  password_hash TEXT,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE TRIGGER user_is_kept BEFORE DELETE ON user
BEGIN SELECT RAISE(ABORT, 'an account is revoked, never removed: what it wrote names it'); END;

CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  secret_hash TEXT NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,     -- idle for too long ends it
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE login_link (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  secret_hash TEXT NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE INDEX login_link_by_user ON login_link (user_id);

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user (id),
  name TEXT NOT NULL,
  secret_hash TEXT NOT NULL UNIQUE CHECK (length(secret_hash) = 64),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE INDEX token_by_user ON token (user_id);

-- First replies to changes, by who asked (user id; 0: the Unix socket) and their key. Kept for a day.
CREATE TABLE idempotency_key (
  user_id INTEGER NOT NULL,
  key TEXT NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
  request_hash TEXT NOT NULL CHECK (length(request_hash) = 64),
  status INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);

CREATE TABLE webhook (
  id INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  events TEXT NOT NULL CHECK (json_valid(events)),
  created_at INTEGER NOT NULL,
  removed_at INTEGER
) STRICT;

-- One message to one webhook. `subject` names what it is about ("round_event/17"), once.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  webhook_id INTEGER NOT NULL REFERENCES webhook (id),
  event TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts INTEGER NOT NULL DEFAULT 0,
  status INTEGER,
  failure TEXT,
  next_attempt_at INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (webhook_id, event, subject),
  CHECK ((state = 'waiting') = (next_attempt_at IS NOT NULL))
) STRICT;
CREATE INDEX delivery_waiting ON delivery (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX delivery_by_state ON delivery (webhook_id, state);

-- How far the sender has read the history.
CREATE TABLE webhook_cursor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  round_event_id INTEGER NOT NULL
) STRICT;
INSERT INTO webhook_cursor SELECT 1, coalesce(max(id), 0) FROM round_event;

-- What the engine said about a response's tokens under a judgment; made when someone looks.
CREATE TABLE response_tokens (
  judgment_id INTEGER PRIMARY KEY REFERENCES judgment (id) ON DELETE CASCADE,
  judgment_hash TEXT NOT NULL,
  tokens TEXT NOT NULL CHECK (json_valid(tokens)),
  created_at INTEGER NOT NULL
) STRICT;

-- Judgments counted by whose they are, so that no page counts a million rows. 0 stands for no round or evaluation.
CREATE TABLE judgment_count (
  round_id INTEGER NOT NULL,
  evaluation_id INTEGER NOT NULL,
  annotator_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  label TEXT NOT NULL,
  validated INTEGER NOT NULL,
  count INTEGER NOT NULL CHECK (count >= 0),
  PRIMARY KEY (round_id, evaluation_id, annotator_id, state, label, validated)
) STRICT, WITHOUT ROWID;
CREATE INDEX judgment_count_by_annotator ON judgment_count (annotator_id);
INSERT INTO judgment_count
SELECT coalesce(unit.round_id, 0), coalesce(unit.evaluation_id, 0), judgment.annotator_id, judgment.state,
       coalesce(judgment.label, ''), judgment.validated, count(*)
FROM judgment JOIN response ON response.id = judgment.response_id JOIN sample ON sample.id = response.sample_id
JOIN unit ON unit.id = sample.unit_id
GROUP BY 1, 2, 3, 4, 5, 6;
CREATE TRIGGER judgment_counted AFTER INSERT ON judgment BEGIN
  INSERT INTO judgment_count
  SELECT coalesce(unit.round_id, 0), coalesce(unit.evaluation_id, 0), NEW.annotator_id, NEW.state,
         coalesce(NEW.label, ''), NEW.validated, 1
  FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id
  WHERE response.id = NEW.response_id
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER judgment_counted_anew AFTER UPDATE OF state, label, validated ON judgment
WHEN OLD.state <> NEW.state OR OLD.label IS NOT NEW.label OR OLD.validated <> NEW.validated BEGIN
  UPDATE judgment_count SET count = count - 1
  FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id
  WHERE response.id = OLD.response_id AND judgment_count.round_id = coalesce(unit.round_id, 0)
    AND judgment_count.evaluation_id = coalesce(unit.evaluation_id, 0)
    AND judgment_count.annotator_id = OLD.annotator_id AND judgment_count.state = OLD.state
    AND judgment_count.label = coalesce(OLD.label, '') AND judgment_count.validated = OLD.validated;
  INSERT INTO judgment_count
  SELECT coalesce(unit.round_id, 0), coalesce(unit.evaluation_id, 0), NEW.annotator_id, NEW.state,
         coalesce(NEW.label, ''), NEW.validated, 1
  FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id
  WHERE response.id = NEW.response_id
  ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER judgment_counted_off AFTER DELETE ON judgment BEGIN
  UPDATE judgment_count SET count = count - 1
  FROM response JOIN sample ON sample.id = response.sample_id JOIN unit ON unit.id = sample.unit_id
  WHERE response.id = OLD.response_id AND judgment_count.round_id = coalesce(unit.round_id, 0)
    AND judgment_count.evaluation_id = coalesce(unit.evaluation_id, 0)
    AND judgment_count.annotator_id = OLD.annotator_id AND judgment_count.state = OLD.state
    AND judgment_count.label = coalesce(OLD.label, '') AND judgment_count.validated = OLD.validated;
END;

-- The rare ones are found without reading the rest.
CREATE INDEX judgment_by_label ON judgment (label, response_id) WHERE label IS NOT NULL;
CREATE INDEX judgment_unsettled ON judgment (state, response_id) WHERE state <> 'done';
CREATE INDEX judgment_by_annotator ON judgment (annotator_id, response_id);
CREATE INDEX round_by_run ON round (run_id, id);

-- Words, for searching; the texts themselves stay where they are.
CREATE VIRTUAL TABLE instruction_search USING fts5 (words, content='', contentless_delete=1, detail=none, prefix='3 4 5');
CREATE VIRTUAL TABLE response_search USING fts5 (words, content='', contentless_delete=1, detail=none, prefix='3 4 5');
CREATE VIRTUAL TABLE judgment_search USING fts5 (words, content='', contentless_delete=1, detail=none, prefix='3 4 5');
INSERT INTO instruction_search (rowid, words) SELECT id, text || ' ' || input FROM instruction;
INSERT INTO response_search (rowid, words)
SELECT response.id, instruction.text || ' ' || instruction.input || ' ' || response.text
FROM response JOIN sample ON sample.id = response.sample_id JOIN instruction ON instruction.id = sample.instruction_id;
INSERT INTO judgment_search (rowid, words) SELECT id, text FROM judgment WHERE text IS NOT NULL;
CREATE TRIGGER instruction_searchable AFTER INSERT ON instruction BEGIN
  INSERT INTO instruction_search (rowid, words) VALUES (NEW.id, NEW.text || ' ' || NEW.input);
END;
CREATE TRIGGER instruction_forgotten AFTER DELETE ON instruction BEGIN
  DELETE FROM instruction_search WHERE rowid = OLD.id;
END;
CREATE TRIGGER response_searchable AFTER INSERT ON response BEGIN
  INSERT INTO response_search (rowid, words)
  SELECT NEW.id, instruction.text || ' ' || instruction.input || ' ' || NEW.text
  FROM sample JOIN instruction ON instruction.id = sample.instruction_id WHERE sample.id = NEW.sample_id;
END;
CREATE TRIGGER response_forgotten AFTER DELETE ON response BEGIN
  DELETE FROM response_search WHERE rowid = OLD.id;
END;
CREATE TRIGGER judgment_searchable AFTER UPDATE OF text ON judgment WHEN OLD.text IS NOT NEW.text BEGIN
  DELETE FROM judgment_search WHERE rowid = OLD.id;
  INSERT INTO judgment_search (rowid, words) SELECT NEW.id, NEW.text WHERE NEW.text IS NOT NULL;
END;
CREATE TRIGGER judgment_searchable_at_once AFTER INSERT ON judgment WHEN NEW.text IS NOT NULL BEGIN
  INSERT INTO judgment_search (rowid, words) VALUES (NEW.id, NEW.text);
END;
CREATE TRIGGER judgment_forgotten AFTER DELETE ON judgment BEGIN
  DELETE FROM judgment_search WHERE rowid = OLD.id;
END;

-- What a good answer to an instruction says, for judges that compare with one. A judgment must mean the same however late
-- it is looked at, so a reference never changes once it is known. Beside the instruction, whose held-out rows are closed.
CREATE TABLE instruction_reference (
  instruction_id INTEGER PRIMARY KEY REFERENCES instruction (id),
  text TEXT NOT NULL CHECK (text <> '')
) STRICT;
CREATE TRIGGER instruction_reference_never_changes BEFORE UPDATE ON instruction_reference
BEGIN SELECT RAISE(ABORT, 'a reference answer never changes'); END;
CREATE TRIGGER instruction_reference_is_kept BEFORE DELETE ON instruction_reference
BEGIN SELECT RAISE(ABORT, 'a reference answer is kept'); END;

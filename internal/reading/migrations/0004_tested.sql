-- What a version of a rule would have raised on the person's past, tried before it came into force (JSON; empty: not tried).
ALTER TABLE reading_rule ADD COLUMN tested TEXT NOT NULL DEFAULT '';

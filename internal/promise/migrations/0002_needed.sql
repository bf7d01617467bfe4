-- Whether what a task was about needed somebody to act: 0 nobody said, 1 it did, 2 it did not.
ALTER TABLE task ADD COLUMN needed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX task_judged ON task (org, closed_at) WHERE needed > 0;

-- told: 0 the assignment has not begun, 1 it has, 2 it has ended, and who listens knows. released: the device's quarantine has
-- been looked through for what this assignment makes somebody's.
ALTER TABLE assignment ADD COLUMN told BIGINT NOT NULL DEFAULT 1;
ALTER TABLE assignment ADD COLUMN released BIGINT NOT NULL DEFAULT 0;
CREATE INDEX assignment_begins ON assignment (from_at) WHERE told = 0;
CREATE INDEX assignment_ends ON assignment (until_at) WHERE told = 1 AND until_at > 0;
CREATE INDEX assignment_unreleased ON assignment (org, device) WHERE released = 0;

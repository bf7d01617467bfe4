-- Until when a message that has not gone out yet is of use, and since when it should have gone out, where that is not its due_at. A row of its
-- own: most messages go out at once, and only what waits is asked about. A batch has both in the row of its lease.
CREATE TABLE useful (
	id TEXT NOT NULL, org TEXT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, until_at BIGINT NOT NULL, since_at BIGINT NOT NULL,
	PRIMARY KEY (id, org, patient, at)
){{clustered}};
ALTER TABLE handing ADD COLUMN until_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE handing ADD COLUMN since_at BIGINT NOT NULL DEFAULT 0;

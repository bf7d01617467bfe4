ALTER TABLE busy ADD COLUMN source TEXT NOT NULL DEFAULT '';
CREATE TABLE feed_read (
	org TEXT NOT NULL, resource TEXT NOT NULL, next_at BIGINT NOT NULL, read_at BIGINT NOT NULL, events BIGINT NOT NULL, problem TEXT NOT NULL, PRIMARY KEY (org, resource)
){{clustered}};

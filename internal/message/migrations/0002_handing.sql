CREATE TABLE handing (
	id TEXT NOT NULL PRIMARY KEY, channel TEXT NOT NULL, org TEXT NOT NULL, shard BIGINT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
	moved_at BIGINT NOT NULL, due_at BIGINT NOT NULL
);
CREATE INDEX handing_due ON handing (channel, due_at);

CREATE TABLE message (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL, inward BIGINT NOT NULL,
	channel TEXT NOT NULL, address TEXT NOT NULL, say TEXT NOT NULL, body TEXT NOT NULL, promises TEXT NOT NULL, code TEXT NOT NULL,
	severity BIGINT NOT NULL, state BIGINT NOT NULL, due_at BIGINT NOT NULL, moved_at BIGINT NOT NULL, tries BIGINT NOT NULL, ref TEXT NOT NULL, sum BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, at, id)
){{clustered}};
CREATE INDEX message_due ON message (channel, due_at) WHERE due_at > 0;
CREATE INDEX message_ref ON message (ref) WHERE ref <> '';
CREATE TABLE secret (name TEXT NOT NULL PRIMARY KEY, value BYTEA NOT NULL);

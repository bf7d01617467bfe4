CREATE TABLE unfollowed (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, record TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, record)
){{clustered}};

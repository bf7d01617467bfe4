CREATE TABLE followed (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, until_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient)
){{clustered}};

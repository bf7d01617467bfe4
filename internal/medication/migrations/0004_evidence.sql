CREATE TABLE away (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL, why TEXT NOT NULL, by_person TEXT NOT NULL, made_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, first_day)
){{clustered}};

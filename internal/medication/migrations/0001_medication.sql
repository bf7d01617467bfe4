CREATE TABLE regimen (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, name TEXT NOT NULL, dosage TEXT NOT NULL,
	authored TEXT NOT NULL, critical BIGINT NOT NULL, active BIGINT NOT NULL, as_needed BIGINT NOT NULL, text TEXT NOT NULL, made_at BIGINT NOT NULL, stopped_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, id)
){{clustered}};
CREATE TABLE dose (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, due_at BIGINT NOT NULL, promise TEXT NOT NULL, items TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, due_at)
){{clustered}};
CREATE TABLE dose_plan (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, planned_until BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient)
){{clustered}};
CREATE INDEX dose_plan_until ON dose_plan (planned_until);

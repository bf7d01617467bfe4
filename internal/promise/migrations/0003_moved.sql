-- Stretches of the agenda whose rows have all moved on to the same rung and instant, and lie where they were: what their rows say of
-- both is then out of date. first (org, patient, promise) to last, all stored at one instant.
CREATE TABLE agenda_moved (
	shard BIGINT NOT NULL, severity BIGINT NOT NULL, stored BIGINT NOT NULL, org TEXT NOT NULL, patient TEXT NOT NULL, promise TEXT NOT NULL,
	last_org TEXT NOT NULL, last_patient TEXT NOT NULL, last_promise TEXT NOT NULL, rung BIGINT NOT NULL, at BIGINT NOT NULL,
	PRIMARY KEY (shard, severity, stored, org, patient, promise)
){{clustered}};

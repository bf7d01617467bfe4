CREATE TABLE rhythm (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, signal TEXT NOT NULL, wall BIGINT NOT NULL, active BIGINT NOT NULL, planned_until BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, signal, wall)
){{clustered}};
CREATE INDEX rhythm_until ON rhythm (planned_until) WHERE active = 1;

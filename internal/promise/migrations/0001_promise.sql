CREATE TABLE ladder (org TEXT NOT NULL, name TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, name, version));
CREATE TABLE promise (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL,
	severity BIGINT NOT NULL, say TEXT NOT NULL, args TEXT NOT NULL, keeper TEXT NOT NULL, from_at BIGINT NOT NULL, by_at BIGINT NOT NULL,
	zone TEXT NOT NULL, ladder TEXT NOT NULL, version BIGINT NOT NULL, state BIGINT NOT NULL, made_at BIGINT NOT NULL,
	closed_at BIGINT NOT NULL, reason TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, id)
){{clustered}};
CREATE INDEX promise_time ON promise (org, patient, from_at);
CREATE TABLE agenda (
	shard BIGINT NOT NULL, severity BIGINT NOT NULL, at BIGINT NOT NULL, org TEXT NOT NULL, patient TEXT NOT NULL, promise TEXT NOT NULL,
	rung BIGINT NOT NULL,
	PRIMARY KEY (shard, severity, at, org, patient, promise)
){{clustered}};
CREATE TABLE history (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, kind BIGINT NOT NULL,
	promise TEXT NOT NULL, rung BIGINT NOT NULL, body TEXT NOT NULL, hash BYTEA NOT NULL,
	PRIMARY KEY (org, shard, patient, seq)
){{clustered}};
CREATE TABLE task (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, promise TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL, owner TEXT NOT NULL,
	severity BIGINT NOT NULL, say TEXT NOT NULL, args TEXT NOT NULL, cause TEXT NOT NULL, opened_at BIGINT NOT NULL, taken_at BIGINT NOT NULL,
	snoozed_until BIGINT NOT NULL, closed_at BIGINT NOT NULL, outcome TEXT NOT NULL,
	PRIMARY KEY (org, id)
);
CREATE INDEX task_open ON task (org, severity, opened_at) WHERE closed_at = 0;
CREATE INDEX task_patient ON task (org, patient, opened_at);

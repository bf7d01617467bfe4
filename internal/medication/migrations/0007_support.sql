-- How a person is supported with doses, in versions: the newest holds, the others are its history (JSON).
CREATE TABLE support (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, version BIGINT NOT NULL, doc TEXT NOT NULL, by_person TEXT NOT NULL, made_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, version)
){{clustered}};
-- Who gets a patient's week in words, when: a weekday (0 is Sunday) and minutes after midnight in the reader's zone.
CREATE TABLE letter (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, person TEXT NOT NULL, active BIGINT NOT NULL, weekday BIGINT NOT NULL, wall BIGINT NOT NULL,
	next_at BIGINT NOT NULL, by_person TEXT NOT NULL, set_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, person)
){{clustered}};
CREATE INDEX letter_next ON letter (next_at) WHERE active = 1;
-- Comparisons of two ways to support people with doses (JSON), and who was allotted to which, in order.
CREATE TABLE comparison (
	org TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL, seed TEXT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL, by_person TEXT NOT NULL, made_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL, ended_by TEXT NOT NULL, why TEXT NOT NULL,
	PRIMARY KEY (org, id)
);
CREATE TABLE allotted (
	org TEXT NOT NULL, comparison TEXT NOT NULL, seq BIGINT NOT NULL, patient TEXT NOT NULL, arm BIGINT NOT NULL, at BIGINT NOT NULL, by_person TEXT NOT NULL, before BIGINT NOT NULL,
	PRIMARY KEY (org, comparison, seq)
);
CREATE UNIQUE INDEX allotted_patient ON allotted (org, comparison, patient);

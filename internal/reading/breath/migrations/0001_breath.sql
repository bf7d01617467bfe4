-- A sitting with the pacer. The beats lie with the readings: series 8637-1 of source (a device, or the page), from began on.
-- Those of the page carry the number of the session in their sequence numbers. batches and beats is how many came from the page, beats_ms
-- where the last ended after began. ended_at 0: it goes on; the figures
-- after it are worked out then. points are a JSON list.
CREATE TABLE breath_session (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, number BIGINT NOT NULL, began BIGINT NOT NULL, pace DOUBLE PRECISION NOT NULL, source TEXT NOT NULL,
	finding BIGINT NOT NULL, by_person TEXT NOT NULL, batches BIGINT NOT NULL, beats BIGINT NOT NULL, beats_ms BIGINT NOT NULL, heard_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL, seconds DOUBLE PRECISION NOT NULL, mean DOUBLE PRECISION NOT NULL, best DOUBLE PRECISION NOT NULL,
	share DOUBLE PRECISION NOT NULL, heart_rate DOUBLE PRECISION NOT NULL, rmssd DOUBLE PRECISION NOT NULL, sdnn DOUBLE PRECISION NOT NULL,
	artefacts DOUBLE PRECISION NOT NULL, swing DOUBLE PRECISION NOT NULL, settled DOUBLE PRECISION NOT NULL, enough BIGINT NOT NULL, points TEXT NOT NULL,
	PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE UNIQUE INDEX breath_session_number ON breath_session (org, patient, number);
CREATE INDEX breath_session_began ON breath_session (org, patient, began);
CREATE INDEX breath_session_open ON breath_session (heard_at) WHERE ended_at = 0;

-- The pace that moves a person's heart most, when all were tried.
CREATE TABLE breath_own (
	org TEXT NOT NULL, patient TEXT NOT NULL, pace DOUBLE PRECISION NOT NULL, swing DOUBLE PRECISION NOT NULL, found_at BIGINT NOT NULL,
	PRIMARY KEY (org, patient)
){{clustered}};

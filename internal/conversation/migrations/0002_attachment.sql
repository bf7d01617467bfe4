-- A file that stands with a message of a thread.
CREATE TABLE attachment (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, size BIGINT NOT NULL,
	at BIGINT NOT NULL, by_person TEXT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE INDEX attachment_message ON attachment (org, patient, message);

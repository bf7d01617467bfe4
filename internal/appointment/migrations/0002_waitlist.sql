-- Who waits for a time, and may take one that is freed. has is a later appointment that the person gives back when she takes it.
CREATE TABLE wait_entry (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL, asked_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	has TEXT NOT NULL, took TEXT NOT NULL, closed_at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE INDEX wait_entry_open ON wait_entry (org, type, asked_at) WHERE state = 'waiting';
-- A time that was given back, and is offered until somebody takes it or it is too late.
CREATE TABLE freed (
	org TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, way TEXT NOT NULL, place TEXT NOT NULL, start_at BIGINT NOT NULL, end_at BIGINT NOT NULL,
	resources TEXT NOT NULL, freed_at BIGINT NOT NULL, next_at BIGINT NOT NULL, rounds BIGINT NOT NULL, offers BIGINT NOT NULL, state TEXT NOT NULL,
	PRIMARY KEY (org, id)
){{clustered}};
CREATE INDEX freed_next ON freed (next_at) WHERE state = 'open';
CREATE TABLE offer (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL, freed TEXT NOT NULL, state TEXT NOT NULL, sent_at BIGINT NOT NULL,
	until_at BIGINT NOT NULL, answered_at BIGINT NOT NULL, promise TEXT NOT NULL, PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE INDEX offer_freed ON offer (org, freed);
CREATE INDEX offer_id ON offer (org, id);
CREATE INDEX offer_until ON offer (until_at) WHERE state = 'open';

CREATE TABLE visit_type (
	org TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, active BIGINT NOT NULL, PRIMARY KEY (org, id)
){{clustered}};
-- version counts every change of what a resource has free, so that copies in memory know when to look again.
CREATE TABLE resource (
	org TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, person TEXT NOT NULL, body TEXT NOT NULL,
	feed TEXT NOT NULL, active BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (org, id)
){{clustered}};
CREATE INDEX resource_feed ON resource (feed);
CREATE TABLE appointment (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, way TEXT NOT NULL, place TEXT NOT NULL,
	start_at BIGINT NOT NULL, end_at BIGINT NOT NULL, zone TEXT NOT NULL, state TEXT NOT NULL, words TEXT NOT NULL, asked_at BIGINT NOT NULL,
	made_at BIGINT NOT NULL, made_by TEXT NOT NULL, hold_until BIGINT NOT NULL, confirmed_at BIGINT NOT NULL, arrived_at BIGINT NOT NULL,
	closed_at BIGINT NOT NULL, reason TEXT NOT NULL, promise TEXT NOT NULL, follows TEXT NOT NULL, pools TEXT NOT NULL,
	PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE UNIQUE INDEX appointment_id ON appointment (org, id);
CREATE INDEX appointment_day ON appointment (org, start_at);
CREATE INDEX appointment_held ON appointment (hold_until) WHERE hold_until > 0;
-- A claim is the time that an appointment takes of a resource, buffers and all. Two claims of one resource never overlap: the
-- database refuses the second, whoever writes it.
CREATE TABLE claim (
	org TEXT NOT NULL, resource TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, appointment TEXT NOT NULL,
	patient TEXT NOT NULL, hold_until BIGINT NOT NULL, PRIMARY KEY (org, resource, from_at, appointment)
){{clustered}};
CREATE INDEX claim_appointment ON claim (org, appointment);
CREATE EXTENSION IF NOT EXISTS btree_gist; -- postgres
ALTER TABLE claim ADD CONSTRAINT claim_free EXCLUDE USING gist (org WITH =, resource WITH =, int8range(from_at, until_at) WITH &&); -- postgres
CREATE TRIGGER claim_free BEFORE INSERT ON claim WHEN EXISTS (SELECT 1 FROM claim c WHERE c.org = NEW.org AND c.resource = NEW.resource AND c.from_at < NEW.until_at AND c.from_at > NEW.from_at - 86400000000 AND c.until_at > NEW.from_at) BEGIN SELECT RAISE(ABORT, 'claim_free'); END; -- sqlite
-- busy is what a resource's own calendar says outside of Doorstep.
CREATE TABLE busy (
	org TEXT NOT NULL, resource TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, PRIMARY KEY (org, resource, from_at, until_at)
){{clustered}};
CREATE TABLE booking_key (org TEXT NOT NULL, patient TEXT NOT NULL, key TEXT NOT NULL, appointment TEXT NOT NULL, PRIMARY KEY (org, patient, key)){{clustered}};

-- A visit may be booked beside another one where the clinic has switched that on: it takes lane 1 of the resources, everybody else lane 0. Within a lane two
-- claims of one resource never overlap, as before.
ALTER TABLE claim ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
ALTER TABLE claim DROP CONSTRAINT claim_free; -- postgres
ALTER TABLE claim ADD CONSTRAINT claim_free EXCLUDE USING gist (org WITH =, resource WITH =, lane WITH =, int8range(from_at, until_at) WITH &&); -- postgres
DROP TRIGGER claim_free; -- sqlite
CREATE TRIGGER claim_free BEFORE INSERT ON claim WHEN EXISTS (SELECT 1 FROM claim c WHERE c.org = NEW.org AND c.resource = NEW.resource AND c.lane = NEW.lane AND c.from_at < NEW.until_at AND c.from_at > NEW.from_at - 86400000000 AND c.until_at > NEW.from_at) BEGIN SELECT RAISE(ABORT, 'claim_free'); END; -- sqlite
CREATE TRIGGER claim_lane BEFORE UPDATE OF lane ON claim WHEN EXISTS (SELECT 1 FROM claim c WHERE c.org = NEW.org AND c.resource = NEW.resource AND c.lane = NEW.lane AND c.appointment <> NEW.appointment AND c.from_at < NEW.until_at AND c.from_at > NEW.from_at - 86400000000 AND c.until_at > NEW.from_at) BEGIN SELECT RAISE(ABORT, 'claim_free'); END; -- sqlite
-- By type of visit, what may be booked beside others of a clinician: JSON, empty where nothing is.
ALTER TABLE resource ADD COLUMN overbook TEXT NOT NULL DEFAULT '';
-- What that costs, simulated before it may be switched on.
CREATE TABLE overbook_price (
	org TEXT NOT NULL, id TEXT NOT NULL, resource TEXT NOT NULL, type TEXT NOT NULL, share DOUBLE PRECISION NOT NULL, made_at BIGINT NOT NULL, by_person TEXT NOT NULL,
	body TEXT NOT NULL, PRIMARY KEY (org, id)
){{clustered}};
-- Who switched it on and off, with the price that she saw.
CREATE TABLE overbook_switch (
	org TEXT NOT NULL, resource TEXT NOT NULL, type TEXT NOT NULL, at BIGINT NOT NULL, turned BIGINT NOT NULL, share DOUBLE PRECISION NOT NULL, price TEXT NOT NULL, by_person TEXT NOT NULL,
	PRIMARY KEY (org, resource, type, at, turned)
){{clustered}};
-- The estimate of missed visits that is in use, learnt once a day.
CREATE TABLE noshow_model (org TEXT NOT NULL, made_at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org)){{clustered}};

-- A device and the hash of its key.
CREATE TABLE device (
	id TEXT NOT NULL, org TEXT NOT NULL, kind TEXT NOT NULL, key_hash BYTEA NOT NULL, registered BIGINT NOT NULL,
	PRIMARY KEY (id)
){{clustered}};
CREATE INDEX device_org ON device (org, id);

-- Whose a device is, from (inclusive) until (exclusive; 0: open). Rows of one device never overlap.
CREATE TABLE assignment (
	org TEXT NOT NULL, device TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, patient TEXT NOT NULL,
	PRIMARY KEY (org, device, from_at)
){{clustered}};
CREATE INDEX assignment_patient ON assignment (org, patient);

-- What is known of one series of one device on one person: which sequence numbers came, and its newest value.
CREATE TABLE stream (
	org TEXT NOT NULL, patient TEXT NOT NULL, device TEXT NOT NULL, series TEXT NOT NULL,
	seqs BYTEA NOT NULL, device_at BIGINT NOT NULL, own BYTEA NOT NULL, latest BYTEA NOT NULL, seen_at BIGINT NOT NULL,
	PRIMARY KEY (org, patient, device, series)
){{clustered}};

-- Batches as they came, until they are packed into chunks. Append only.
CREATE TABLE arrival (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, bytes BYTEA NOT NULL,
	PRIMARY KEY (org, patient, id)
){{clustered}};

-- Samples of a person's series, packed; at most 31 days and 4,096 samples each. Times are the first and last sample's.
CREATE TABLE chunk (
	org TEXT NOT NULL, patient TEXT NOT NULL, series TEXT NOT NULL, from_at BIGINT NOT NULL, id TEXT NOT NULL,
	to_at BIGINT NOT NULL, samples BIGINT NOT NULL, bytes BYTEA NOT NULL,
	PRIMARY KEY (org, patient, series, from_at, id)
){{clustered}};

-- What came from a device but belongs to nobody that we know of, or could not be read. key makes a repeat one row.
CREATE TABLE quarantine (
	org TEXT NOT NULL, device TEXT NOT NULL, key TEXT NOT NULL, received BIGINT NOT NULL, reason TEXT NOT NULL,
	stream TEXT NOT NULL, payload BYTEA NOT NULL,
	PRIMARY KEY (org, device, key)
){{clustered}};

-- Rules in every version that ever was; until_at 0 is in force. Rows are never changed but to set until_at once.
CREATE TABLE reading_rule (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, series TEXT NOT NULL,
	missing_us BIGINT NOT NULL, doc TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	PRIMARY KEY (org, patient, id, version)
){{clustered}};
CREATE INDEX reading_rule_missing ON reading_rule (org, patient) WHERE missing_us > 0 AND until_at = 0;

-- What a version of a rule knows: its state, when it last told of late readings, and since when it has told of silence.
CREATE TABLE rule_state (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL,
	state BYTEA NOT NULL, late_at BIGINT NOT NULL, silent_at BIGINT NOT NULL,
	PRIMARY KEY (org, patient, id, version)
){{clustered}};

-- Alerts as they were raised. Append only.
CREATE TABLE reading_alert (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, rule TEXT NOT NULL, version BIGINT NOT NULL,
	raised_at BIGINT NOT NULL, doc TEXT NOT NULL,
	PRIMARY KEY (org, patient, id)
){{clustered}};

-- Events of pill boxes. key is the sequence number, or a hash of the event where it has none.
CREATE TABLE pill_event (
	org TEXT NOT NULL, patient TEXT NOT NULL, device TEXT NOT NULL, key TEXT NOT NULL, at BIGINT NOT NULL,
	received BIGINT NOT NULL, event TEXT NOT NULL, slot BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (org, patient, device, key)
){{clustered}};
CREATE INDEX pill_event_at ON pill_event (org, patient, at);

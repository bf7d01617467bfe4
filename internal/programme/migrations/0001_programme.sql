-- The days, in the patient's own zone, on which a device sent readings by itself.
CREATE TABLE programme_day (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, day TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, day)
){{clustered}};
-- Minutes that the staff worked for a patient. Append only.
CREATE TABLE programme_minutes (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, staff TEXT NOT NULL,
	minutes BIGINT NOT NULL, live BIGINT NOT NULL, note TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, at, id)
){{clustered}};

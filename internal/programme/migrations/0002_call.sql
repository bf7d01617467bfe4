-- Telephone calls of the staff with a patient. Minutes count while the state is booked; who made the call may put them right or discard them.
CREATE TABLE programme_call (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, staff TEXT NOT NULL,
	ended_at BIGINT NOT NULL, minutes BIGINT NOT NULL, live BIGINT NOT NULL, state TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, at, id)
){{clustered}};
CREATE INDEX programme_call_staff ON programme_call (org, staff, state);

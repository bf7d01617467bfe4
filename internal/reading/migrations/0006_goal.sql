-- Goals that people set for their own numbers, in every version; until_at 0 is in force. Rows are never changed but to set until_at
-- once. low is the lower blood pressure, 0 for other numbers.
CREATE TABLE reading_goal (
	org TEXT NOT NULL, patient TEXT NOT NULL, kind TEXT NOT NULL, version BIGINT NOT NULL, value DOUBLE PRECISION NOT NULL, low DOUBLE PRECISION NOT NULL,
	down BIGINT NOT NULL, set_by TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	PRIMARY KEY (org, patient, kind, version)
){{clustered}};

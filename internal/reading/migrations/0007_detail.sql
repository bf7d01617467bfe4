-- What a file tells beside a value: the end of its interval, that the device's range ended there, notes. One row for the samples of a batch and
-- series that have any, packed; the samples themselves stand in arrival and chunk.
CREATE TABLE reading_detail (
	org TEXT NOT NULL, patient TEXT NOT NULL, series TEXT NOT NULL, from_at BIGINT NOT NULL, id TEXT NOT NULL, to_at BIGINT NOT NULL, bytes BYTEA NOT NULL,
	PRIMARY KEY (org, patient, series, from_at, id)
){{clustered}};

-- A site that is asked for a person's readings. token is its secret; cursor_at is up to where it was read, to be asked from a little before;
-- failing_at is since when it has not answered (0: it answers). next_at is also the lease of whoever asks.
CREATE TABLE pull_site (
	org TEXT NOT NULL, patient TEXT NOT NULL, address TEXT NOT NULL, token TEXT NOT NULL, since_at BIGINT NOT NULL, cursor_at BIGINT NOT NULL,
	every_s BIGINT NOT NULL, next_at BIGINT NOT NULL, asked_at BIGINT NOT NULL, answered_at BIGINT NOT NULL, failing_at BIGINT NOT NULL,
	failures BIGINT NOT NULL, problem TEXT NOT NULL, told BIGINT NOT NULL, stored BIGINT NOT NULL, by_person TEXT NOT NULL, revision BIGINT NOT NULL, PRIMARY KEY (org, patient)
){{clustered}};
CREATE INDEX pull_site_next ON pull_site (next_at);

CREATE TABLE api_write (
	org TEXT NOT NULL, person TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, made_at BIGINT NOT NULL, answer BYTEA NOT NULL,
	PRIMARY KEY (org, person, key)
){{clustered}};
CREATE INDEX api_write_made ON api_write (made_at);

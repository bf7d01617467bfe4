-- A conversation is one matter of a patient, from her first word to our answer, with one owner. A later word on it opens it again.
CREATE TABLE conversation (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL, owner TEXT NOT NULL, offered TEXT NOT NULL,
	offered_by TEXT NOT NULL, note TEXT NOT NULL, red BIGINT NOT NULL, opened_at BIGINT NOT NULL, by_at BIGINT NOT NULL, answered_at BIGINT NOT NULL,
	handovers BIGINT NOT NULL, phone TEXT NOT NULL, promise TEXT NOT NULL, PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE INDEX conversation_open ON conversation (org, by_at) WHERE answered_at = 0;
CREATE INDEX conversation_opened ON conversation (org, opened_at);
CREATE TABLE conversation_route (org TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, id)){{clustered}};
CREATE TABLE conversation_template (org TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, id)){{clustered}};

-- A meeting is the room of one visit. seq numbers its signals in the order in which they were written down: the row is locked until then.
CREATE TABLE meeting (
	org TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, mode TEXT NOT NULL, why TEXT NOT NULL, opened_at BIGINT NOT NULL,
	together_at BIGINT NOT NULL, phone_at BIGINT NOT NULL, call_by BIGINT NOT NULL, ringing BIGINT NOT NULL, recording TEXT NOT NULL,
	ended_at BIGINT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (org, patient, visit)
){{clustered}};
CREATE INDEX meeting_open ON meeting (opened_at) WHERE ended_at = 0;
-- A seat is one person at one screen. It is hers while she is seen: a browser that went away is not there.
CREATE TABLE seat (
	org TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, part TEXT NOT NULL,
	joined_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, left_at BIGINT NOT NULL, record BIGINT NOT NULL, PRIMARY KEY (org, patient, visit, id)
){{clustered}};
-- What one browser tells another so that they find each other: network addresses, so it is soon forgotten.
CREATE TABLE signal (
	org TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, seq BIGINT NOT NULL, to_seat TEXT NOT NULL, from_seat TEXT NOT NULL, body TEXT NOT NULL,
	until_at BIGINT NOT NULL, PRIMARY KEY (org, patient, visit, seq)
){{clustered}};
CREATE INDEX signal_until ON signal (until_at);
-- What happened in the room, for the page of the visit and the record.
CREATE TABLE meeting_event (
	org TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, why TEXT NOT NULL,
	PRIMARY KEY (org, patient, visit, at, id)
){{clustered}};

-- A stay is one person's time on site (or in the virtual waiting room), with each of its steps. The range that she was told last runs from
-- told_from to told_to; the one that she was told first is kept to learn how good it was.
CREATE TABLE stay (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, place TEXT NOT NULL, visit TEXT NOT NULL, type TEXT NOT NULL, plan BIGINT NOT NULL,
	kind TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, came_by TEXT NOT NULL, waits TEXT NOT NULL, away BIGINT NOT NULL, room TEXT NOT NULL,
	reason TEXT NOT NULL, start_at BIGINT NOT NULL, arrived_at BIGINT NOT NULL, called_at BIGINT NOT NULL, room_at BIGINT NOT NULL, begun_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL, told_at BIGINT NOT NULL, told_from BIGINT NOT NULL, told_to BIGINT NOT NULL, next_at BIGINT NOT NULL, before BIGINT NOT NULL,
	texted_from BIGINT NOT NULL, fetched_at BIGINT NOT NULL, first_low DOUBLE PRECISION NOT NULL, first_high DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (org, patient, id)
){{clustered}};
CREATE UNIQUE INDEX stay_id ON stay (org, id);
CREATE UNIQUE INDEX stay_visit ON stay (org, visit) WHERE visit <> '';
CREATE INDEX stay_open ON stay (org, state) WHERE state IN ('waiting', 'called', 'room', 'with');
CREATE INDEX stay_day ON stay (org, arrived_at);
-- What a place has learnt of its visits, of those who leave, and of how its ranges turn out.
CREATE TABLE pace (org TEXT NOT NULL, place TEXT NOT NULL, body TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (org, place)){{clustered}};
-- Who is not there yet, or has gone for a while, by the desk's word.
CREATE TABLE clinician_away (org TEXT NOT NULL, who TEXT NOT NULL, until_at BIGINT NOT NULL, set_by TEXT NOT NULL, set_at BIGINT NOT NULL, PRIMARY KEY (org, who)){{clustered}};
CREATE TABLE waiting_rule (org TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL){{clustered}};
-- What somebody who has not come yet was told of a delay: when she will be seen, and when she leaves home by that.
CREATE TABLE late_notice (
	org TEXT NOT NULL, patient TEXT NOT NULL, visit TEXT NOT NULL, times BIGINT NOT NULL, told_at BIGINT NOT NULL, from_at BIGINT NOT NULL, to_at BIGINT NOT NULL,
	leave_at BIGINT NOT NULL, next_at BIGINT NOT NULL, PRIMARY KEY (org, patient, visit)
){{clustered}};
-- A kiosk is an address with a secret. key makes the codes with which people say which visit is theirs.
CREATE TABLE kiosk (
	org TEXT NOT NULL, id TEXT NOT NULL, place TEXT NOT NULL, secret TEXT NOT NULL, made_by TEXT NOT NULL, made_at BIGINT NOT NULL, revoked_at BIGINT NOT NULL,
	PRIMARY KEY (org, id)
){{clustered}};
CREATE UNIQUE INDEX kiosk_secret ON kiosk (secret);
CREATE TABLE kiosk_key (org TEXT NOT NULL, place TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (org, place)){{clustered}};
CREATE TABLE kiosk_miss (org TEXT NOT NULL, kiosk TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (org, kiosk, at, id)){{clustered}};
-- A text said that somebody is there, and it was asked for which visit.
CREATE TABLE here_asked (org TEXT NOT NULL, visit TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (org, visit)){{clustered}};

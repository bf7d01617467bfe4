-- Versions of the ways in which needs of a kind can be met. A version never changes.
CREATE TABLE journey_kind (
	org TEXT NOT NULL, id TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL, made_at BIGINT NOT NULL, made_by TEXT NOT NULL, PRIMARY KEY (org, id, version)
){{clustered}};
CREATE TABLE journey_outlet (org TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, id)){{clustered}};
-- What a person says of herself: weights, limits, how she gets about.
CREATE TABLE journey_self (org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, shard, patient)){{clustered}};
CREATE TABLE journey_need (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL,
	from_at BIGINT NOT NULL, by_at BIGINT NOT NULL, made_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, shard, patient, id)
){{clustered}};
-- When each person's weeks are to be planned next, and what the last plan came to.
CREATE TABLE journey_plan (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, due_at BIGINT NOT NULL, made_at BIGINT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient)
){{clustered}};
CREATE INDEX journey_plan_due ON journey_plan (due_at);
-- A round trip is one row: the way there and the way back. No way back stands without its way there, whoever writes it.
CREATE TABLE journey_trip (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, means TEXT NOT NULL,
	out_state TEXT NOT NULL, out_leave BIGINT NOT NULL, out_arrive BIGINT NOT NULL, out_ride TEXT NOT NULL,
	back_state TEXT NOT NULL, back_leave BIGINT NOT NULL, back_arrive BIGINT NOT NULL, back_ride TEXT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, id),
	CONSTRAINT journey_trip_orphan CHECK ((back_state IN ('', 'cancelled') OR out_state NOT IN ('', 'cancelled')) AND (back_ride = '' OR out_ride <> '')),
	CONSTRAINT journey_trip_order CHECK (out_leave <= out_arrive AND out_arrive <= back_leave AND back_leave <= back_arrive)
){{clustered}};
CREATE INDEX journey_trip_day ON journey_trip (org, out_leave);
-- One need of one time with its way and time. id is the need's, with the first day of its window where it comes again.
CREATE TABLE journey_item (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, need TEXT NOT NULL, way TEXT NOT NULL, mode TEXT NOT NULL, place TEXT NOT NULL,
	start_at BIGINT NOT NULL, end_at BIGINT NOT NULL, trip TEXT NOT NULL, state TEXT NOT NULL, promise TEXT NOT NULL, visit TEXT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, id)
){{clustered}};
CREATE INDEX journey_item_visit ON journey_item (org, visit) WHERE visit <> '';
CREATE INDEX journey_item_day ON journey_item (org, start_at);
-- A move of what was promised, that the person is asked about.
CREATE TABLE journey_ask (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, item TEXT NOT NULL, state TEXT NOT NULL, made_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	closed_at BIGINT NOT NULL, promise TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, shard, patient, id)
){{clustered}};
-- What it burdened, row by row: a trip that was made (trip), a thing done at home (home), and what it would have been by the counterfactual (instead).
CREATE TABLE journey_ledger (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, day TEXT NOT NULL, id TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, trips BIGINT NOT NULL,
	contact BIGINT NOT NULL, minutes BIGINT NOT NULL, miles DOUBLE PRECISION NOT NULL, dollars DOUBLE PRECISION NOT NULL, escort BIGINT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, day, id)
){{clustered}};
CREATE INDEX journey_ledger_day ON journey_ledger (org, day);
-- The daily sweep over everybody who shares capacity, and how what it cost is spread.
CREATE TABLE journey_sweep (org TEXT NOT NULL, day TEXT NOT NULL, made_at BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, day)){{clustered}};
-- Until when changed orders of the record have been looked at, and which people's orders were.
CREATE TABLE journey_look (org TEXT NOT NULL, patient TEXT NOT NULL, until_at BIGINT NOT NULL, PRIMARY KEY (org, patient)){{clustered}};

-- A ride is a round trip: one row with both of its legs, so that there is no way home without the way there. The last check keeps it so as
-- things change: a leg home that is still to be has a leg there that took place, is still to be, or that she goes on her own.
CREATE TABLE ride (
	org TEXT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, day TEXT NOT NULL, about TEXT NOT NULL, out_state TEXT NOT NULL, back_state TEXT NOT NULL, body TEXT NOT NULL,
	PRIMARY KEY (org, patient, id),
	CHECK (out_state IN ('open', 'planned', 'way', 'door', 'aboard', 'done', 'own', 'missed', 'cancelled')),
	CHECK (back_state IN ('call', 'open', 'planned', 'way', 'door', 'aboard', 'done', 'own', 'missed', 'cancelled')),
	CHECK (back_state IN ('done', 'own', 'missed', 'cancelled') OR out_state NOT IN ('missed', 'cancelled'))
){{clustered}};
CREATE UNIQUE INDEX ride_id ON ride (org, id);
CREATE UNIQUE INDEX ride_about ON ride (org, about) WHERE about <> '' AND out_state <> 'cancelled';
CREATE INDEX ride_day ON ride (org, day);
CREATE TABLE vehicle (org TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, id)){{clustered}};
-- The plan of a day: who stops where and when. Whoever changes a day's rides writes version first, and so waits for others.
CREATE TABLE dispatch_day (org TEXT NOT NULL, day TEXT NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (org, day)){{clustered}};
-- Since when the outside ride company has not answered; 0: it does.
CREATE TABLE ride_vendor (org TEXT NOT NULL, name TEXT NOT NULL, down_at BIGINT NOT NULL, PRIMARY KEY (org, name)){{clustered}};

-- What is due at one instant is taken in an order; without the order in the index, each look would sort all that waits.
DROP INDEX message_due;
CREATE INDEX message_due ON message (channel, due_at, org, shard, patient, at, id) WHERE due_at > 0;

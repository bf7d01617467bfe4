-- Holds that have run out give way before each booking: found by an index of the few holds, not among all that is taken.
CREATE INDEX claim_held ON claim (org, resource) WHERE hold_until > 0;
-- A GiST index is as good as its first column: the resource, of which there are many, not the organization, of which there is one.
ALTER TABLE claim DROP CONSTRAINT claim_free; -- postgres
ALTER TABLE claim ADD CONSTRAINT claim_free EXCLUDE USING gist (resource WITH =, int8range(from_at, until_at) WITH &&, lane WITH =, org WITH =); -- postgres

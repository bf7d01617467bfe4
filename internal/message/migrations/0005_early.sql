-- Delivery reports that came before the reference of their message was written down.
CREATE TABLE early (ref TEXT NOT NULL PRIMARY KEY, state BIGINT NOT NULL, at BIGINT NOT NULL);
CREATE INDEX early_at ON early (at);

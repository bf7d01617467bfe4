-- The FHIR record. n is a number that a resource gets when it first comes and keeps: index rows are short, and grow at the
-- end of tables that are keyed by it. Texts in index rows are hashes (fhir.Hash), paths are fhir.Path.Key, which holds the type.
CREATE TABLE record_resource (
  org TEXT NOT NULL,
  n BIGINT NOT NULL,
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  date BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  sum BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (org, n)
);
CREATE UNIQUE INDEX record_resource_id ON record_resource (org, type, id);
CREATE INDEX record_resource_date ON record_resource (org, type, date, n);
CREATE INDEX record_resource_at ON record_resource (org, type, at, n);
CREATE SEQUENCE record_n; -- postgres
ALTER TABLE record_resource ALTER COLUMN body SET STORAGE EXTERNAL; -- postgres

-- What a resource was before its current version.
CREATE TABLE record_history (
  org TEXT NOT NULL,
  n BIGINT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  sum BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (org, n, version)
);
ALTER TABLE record_history ALTER COLUMN body SET STORAGE EXTERNAL; -- postgres

CREATE TABLE record_token (
  org TEXT NOT NULL,
  path BIGINT NOT NULL,
  code BIGINT NOT NULL,
  n BIGINT NOT NULL,
  system BIGINT NOT NULL,
  PRIMARY KEY (org, path, code, n, system)
){{clustered}};

-- date is the resource's principal date: a patient's resources are read newest first straight from this key.
CREATE TABLE record_ref (
  org TEXT NOT NULL,
  path BIGINT NOT NULL,
  target BIGINT NOT NULL,
  date BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (org, path, target, date, n)
){{clustered}};

CREATE TABLE record_string (
  org TEXT NOT NULL,
  path BIGINT NOT NULL,
  value TEXT NOT NULL, -- sqlite
  value TEXT COLLATE "C" NOT NULL, -- postgres
  n BIGINT NOT NULL,
  PRIMARY KEY (org, path, value, n)
){{clustered}};

CREATE TABLE record_date (
  org TEXT NOT NULL,
  n BIGINT NOT NULL,
  path BIGINT NOT NULL,
  low BIGINT NOT NULL,
  high BIGINT NOT NULL,
  PRIMARY KEY (org, n, path, low, high)
){{clustered}};

CREATE TABLE record_quantity (
  org TEXT NOT NULL,
  n BIGINT NOT NULL,
  path BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  system BIGINT NOT NULL,
  code BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  PRIMARY KEY (org, n, path, value, system, code, unit)
){{clustered}};

-- Conditional references that named nothing yet when they came in: a search for what they mean looks here.
CREATE TABLE record_unresolved (
  org TEXT NOT NULL,
  target BIGINT NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (org, target, n)
){{clustered}};

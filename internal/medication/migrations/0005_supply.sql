CREATE TABLE fill (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, regimen TEXT NOT NULL, day TEXT NOT NULL, quantity DOUBLE PRECISION NOT NULL,
	unit TEXT NOT NULL, days DOUBLE PRECISION NOT NULL, record TEXT NOT NULL, by_person TEXT NOT NULL, made_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, id)
){{clustered}};
CREATE TABLE stock_count (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, regimen TEXT NOT NULL, at BIGINT NOT NULL, quantity DOUBLE PRECISION NOT NULL, by_person TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, regimen, at)
){{clustered}};
CREATE TABLE pharmacy (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL, lead_days BIGINT NOT NULL, closed TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient)
){{clustered}};
CREATE TABLE need (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, from_at BIGINT NOT NULL, by_at BIGINT NOT NULL,
	way TEXT NOT NULL, made_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, PRIMARY KEY (org, shard, patient, id)
){{clustered}};

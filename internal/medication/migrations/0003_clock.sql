ALTER TABLE regimen ADD COLUMN policy TEXT NOT NULL DEFAULT 'wall';
ALTER TABLE regimen ADD COLUMN zone TEXT NOT NULL DEFAULT '';
CREATE TABLE dose_move (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, zone TEXT NOT NULL, by_person TEXT NOT NULL,
	PRIMARY KEY (org, shard, patient, at)
){{clustered}};
CREATE TABLE intake (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, regimen TEXT NOT NULL, amount DOUBLE PRECISION NOT NULL,
	unit TEXT NOT NULL, by_person TEXT NOT NULL, for_person TEXT NOT NULL, source TEXT NOT NULL, early BIGINT NOT NULL, noted_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, at, id)
){{clustered}};

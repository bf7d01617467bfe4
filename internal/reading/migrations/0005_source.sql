-- What measured the readings of an import's device, as the file told it; empty for devices that send by themselves.
ALTER TABLE device ADD COLUMN source TEXT NOT NULL DEFAULT '';

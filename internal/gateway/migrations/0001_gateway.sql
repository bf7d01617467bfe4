CREATE TABLE queued (n INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, stream TEXT NOT NULL, at BIGINT NOT NULL, worth BIGINT NOT NULL, payload BYTEA NOT NULL);
CREATE INDEX queued_device ON queued (device, n);
CREATE INDEX queued_worth ON queued (worth, n);
CREATE TABLE cue (
	device TEXT NOT NULL, at BIGINT NOT NULL, promise TEXT NOT NULL, cue TEXT NOT NULL, slot BIGINT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL, done BIGINT NOT NULL,
	PRIMARY KEY (device, at, promise)
){{clustered}};
CREATE TABLE box (device TEXT NOT NULL PRIMARY KEY, opened BIGINT NOT NULL){{clustered}};

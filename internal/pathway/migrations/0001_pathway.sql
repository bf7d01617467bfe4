CREATE TABLE pathway_definition (
	org TEXT NOT NULL, url TEXT NOT NULL, version TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, loaded_at BIGINT NOT NULL,
	PRIMARY KEY (org, url, version)
);
CREATE TABLE episode (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, id TEXT NOT NULL, url TEXT NOT NULL, version TEXT NOT NULL, title TEXT NOT NULL,
	start_at BIGINT NOT NULL, until_at BIGINT NOT NULL, state TEXT NOT NULL, by_person TEXT NOT NULL, made_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, worked_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, id)
){{clustered}};
CREATE INDEX episode_version ON episode (org, url, version) WHERE state = 'active';
CREATE TABLE activity (
	org TEXT NOT NULL, shard BIGINT NOT NULL, patient TEXT NOT NULL, episode TEXT NOT NULL, id TEXT NOT NULL, action TEXT NOT NULL, nth BIGINT NOT NULL,
	part TEXT NOT NULL, title TEXT NOT NULL, titles TEXT NOT NULL, words TEXT NOT NULL, kind TEXT NOT NULL, definition TEXT NOT NULL, code TEXT NOT NULL, performer TEXT NOT NULL,
	priority TEXT NOT NULL, must BIGINT NOT NULL, from_at BIGINT NOT NULL, by_at BIGINT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
	how TEXT NOT NULL, start_at BIGINT NOT NULL, done_at BIGINT NOT NULL, promised BIGINT NOT NULL,
	PRIMARY KEY (org, shard, patient, episode, id)
){{clustered}};
CREATE INDEX activity_coming ON activity (org, from_at) WHERE promised = 0 AND state = 'open';
CREATE INDEX activity_late ON activity (org, by_at) WHERE state = 'open';

CREATE TABLE org (
	id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, zone TEXT NOT NULL, language TEXT NOT NULL, phone TEXT NOT NULL,
	settings TEXT NOT NULL, made_at BIGINT NOT NULL
);
CREATE TABLE place (
	org TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, zone TEXT NOT NULL, phone TEXT NOT NULL,
	PRIMARY KEY (org, id)
);
CREATE TABLE team (org TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (org, id));
CREATE TABLE person (
	org TEXT NOT NULL, shard BIGINT NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL, called TEXT NOT NULL, birth_year BIGINT NOT NULL,
	language TEXT NOT NULL, zone TEXT NOT NULL, routine TEXT NOT NULL, day_start BIGINT NOT NULL, quiet_from BIGINT NOT NULL,
	quiet_to BIGINT NOT NULL, record TEXT NOT NULL, active BIGINT NOT NULL, made_at BIGINT NOT NULL,
	PRIMARY KEY (org, shard, id)
){{clustered}};
CREATE UNIQUE INDEX person_id ON person (org, id);
CREATE INDEX person_role ON person (org, role, name);
CREATE INDEX person_record ON person (org, record);
CREATE TABLE membership (org TEXT NOT NULL, person TEXT NOT NULL, team TEXT NOT NULL, PRIMARY KEY (org, person, team)){{clustered}};
CREATE INDEX membership_team ON membership (org, team);
CREATE TABLE contact (
	org TEXT NOT NULL, shard BIGINT NOT NULL, person TEXT NOT NULL, rank BIGINT NOT NULL, channel TEXT NOT NULL, address TEXT NOT NULL,
	consent TEXT NOT NULL, consent_at BIGINT NOT NULL, consent_source TEXT NOT NULL, shared BIGINT NOT NULL,
	PRIMARY KEY (org, shard, person, channel, address)
){{clustered}};
CREATE INDEX contact_address ON contact (org, channel, address);
CREATE TABLE care_link (
	org TEXT NOT NULL, patient TEXT NOT NULL, caregiver TEXT NOT NULL, rights TEXT NOT NULL, relation TEXT NOT NULL,
	from_at BIGINT NOT NULL, until_at BIGINT NOT NULL, revoked_at BIGINT NOT NULL, given_by TEXT NOT NULL,
	PRIMARY KEY (org, patient, caregiver)
){{clustered}};
CREATE INDEX care_link_caregiver ON care_link (org, caregiver);
CREATE TABLE shift (
	org TEXT NOT NULL, person TEXT NOT NULL, role TEXT NOT NULL, team TEXT NOT NULL, from_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	PRIMARY KEY (org, role, until_at, person)
){{clustered}};
CREATE TABLE audit (
	org TEXT NOT NULL, patient TEXT NOT NULL, at BIGINT NOT NULL, viewer TEXT NOT NULL, id TEXT NOT NULL, act TEXT NOT NULL,
	what TEXT NOT NULL, allowed BIGINT NOT NULL, PRIMARY KEY (org, patient, at, viewer, id)
){{clustered}};
CREATE TABLE session (
	token TEXT NOT NULL PRIMARY KEY, org TEXT NOT NULL, person TEXT NOT NULL, made_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
	revoked_at BIGINT NOT NULL
){{clustered}};
CREATE INDEX session_person ON session (org, person);
CREATE TABLE link (
	token TEXT NOT NULL PRIMARY KEY, org TEXT NOT NULL, person TEXT NOT NULL, purpose TEXT NOT NULL, target TEXT NOT NULL,
	made_at BIGINT NOT NULL, until_at BIGINT NOT NULL, tries BIGINT NOT NULL, used_at BIGINT NOT NULL
){{clustered}};
CREATE TABLE attempt (
	key TEXT NOT NULL, at BIGINT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (key, at, id)
){{clustered}};

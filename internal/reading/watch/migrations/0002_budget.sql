-- Alerts as they reach people: what a week's budget is spent on. Append only.
CREATE TABLE alarm (
	org TEXT NOT NULL, raised_at BIGINT NOT NULL, id TEXT NOT NULL, patient TEXT NOT NULL, rule TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL,
	series TEXT NOT NULL, kind TEXT NOT NULL, severity TEXT NOT NULL, cause TEXT NOT NULL, promise TEXT NOT NULL,
	PRIMARY KEY (org, raised_at, id)
){{clustered}};
-- How many alerts in a week a team sets out to ask of each of its nurses. The newest row holds; the others are its history.
CREATE TABLE alarm_budget (
	org TEXT NOT NULL, team TEXT NOT NULL, set_at BIGINT NOT NULL, per_nurse BIGINT NOT NULL, by_person TEXT NOT NULL,
	PRIMARY KEY (org, team, set_at)
);

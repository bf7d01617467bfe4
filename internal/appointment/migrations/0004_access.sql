-- How many days there are to the third free time, once a day for each clinician, type and way. third_days is -1 where there were fewer than three.
CREATE TABLE access_sample (
	org TEXT NOT NULL, day TEXT NOT NULL, type TEXT NOT NULL, way TEXT NOT NULL, resource TEXT NOT NULL, third_days DOUBLE PRECISION NOT NULL,
	taken_at BIGINT NOT NULL, PRIMARY KEY (org, day, type, way, resource)
){{clustered}};

-- By which version of the extractor (fhir.ExtractVersion) the search index was made. While it is made anew: toward which, and after which
-- resource to go on.
CREATE TABLE record_indexed (one BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, toward BIGINT NOT NULL, org TEXT NOT NULL, n BIGINT NOT NULL);
INSERT INTO record_indexed (one, version, toward, org, n) VALUES (1, 1, 1, '', 0);

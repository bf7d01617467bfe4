-- When a person was last called for a cause: many calls for one cause are one message.
CREATE TABLE called (org TEXT NOT NULL, person TEXT NOT NULL, cause TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (org, person, cause)){{clustered}};

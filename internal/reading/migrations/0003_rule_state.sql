-- States have a new form, with the signals that must agree. They are made again from the samples that come.
DELETE FROM rule_state;

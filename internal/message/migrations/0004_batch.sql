-- The messages of a batch are written once: state -1 is "being handed over" while the batch has its row in handing, and "sent" after.
-- What a batch had under way when this came is looked into like any message whose lease has run out.
UPDATE message SET due_at = 1 WHERE state = 1 AND due_at = 0;
DELETE FROM handing;

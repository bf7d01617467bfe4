-- A form sent twice is told apart by the one idempotency of the API and by the state of the visit: nothing wrote here.
DROP TABLE booking_key;

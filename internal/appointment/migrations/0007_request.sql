CREATE INDEX appointment_request ON appointment (start_at) WHERE state = 'proposed';

package message

import (
	"doorstep/internal/store"
)

// Doubt marks everything that waits or is under way as perhaps sent: for a database restored from a backup, whose messages may
// have gone out since it was made. Each is then looked into like one that a stopped process left half-way: the gateway is asked
// where it can be, a reminder is not risked twice, an alert goes out again and says so. What was sent and only its report was still
// to come waits no longer: the report came since, or the next channel was started then; unless it is an alert, which is looked into
// too. It answers how many messages are in doubt.
func (s *Service) Doubt(tx *store.Tx) (int, error) {
	now := store.Micros(s.clock.Now())
	waiting, err := tx.Exec("UPDATE message SET state = 1, due_at = $1 WHERE due_at > 0 AND (state < 2 OR state = 2 AND severity >= $2)", now, int(Urgent))
	if err != nil {
		return 0, err
	}
	told, err := tx.Exec("UPDATE message SET state = 3, due_at = 0, moved_at = $1 WHERE due_at > 0 AND state = 2", now)
	return int(waiting + told), err
}

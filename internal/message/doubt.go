package message

import (
	"doorstep/internal/store"
)

// Doubt marks everything that waits or is under way as perhaps sent: for a database restored from a backup, whose messages may
// have gone out since it was made. Each is then looked into like one that a stopped process left half-way: the gateway is asked
// where it can be, a reminder is not risked twice, an alert goes out again and says so. It answers how many.
func (s *Service) Doubt(tx *store.Tx) (int, error) {
	n, err := tx.Exec("UPDATE message SET state = 1, due_at = $1 WHERE due_at > 0 AND state < 2", store.Micros(s.clock.Now()))
	return int(n), err
}

package promise

import (
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// FinishJudged is Finish by somebody who says whether it needed action at all: what a budget of alerts is judged by.
func (s *Service) FinishJudged(tx *store.Tx, v person.Viewer, id, outcome string, needed bool) (TaskRow, error) {
	t, err := s.Finish(tx, v, id, outcome)
	if err != nil {
		return t, err
	}
	word := 2
	if needed {
		word = 1
	}
	_, err = tx.Exec("UPDATE task SET needed = $3 WHERE org = $1 AND id = $2", string(v.Org), id, word)
	return t, err
}

// Judged answers by promise whether it needed action, as those said who closed its tasks since an instant. One who says yes outweighs
// another who says no.
func (s *Service) Judged(tx *store.Tx, org person.OrgID, since time.Time) (map[ID]bool, error) {
	out := map[ID]bool{}
	err := tx.Rows("SELECT promise, needed FROM task WHERE org = $1 AND needed > 0 AND closed_at >= $2", []any{string(org), store.Micros(since)}, func(scan func(...any) error) error {
		var id ID
		var word int
		err := scan(&id, &word)
		out[id] = out[id] || word == 1
		return err
	})
	return out, err
}

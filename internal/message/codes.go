package message

import (
	"encoding/json"
	"slices"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	// denseFrom is from how many patients on it pays to try a range of the messages instead of a look for each.
	denseFrom = 100
	// denseMost is how many messages a patient may have on average for that: one read in passing takes a fifth of a look.
	denseMost = 4
	// denseAgain is after how many times one that had more is tried again: messages grow, and are seldom taken away.
	denseAgain = 64
)

// openCodes reads the letters that are taken by recent questions about the patients.
func (w *work) openCodes(org person.OrgID, patients []person.ID) error {
	byShard := map[int][]person.ID{}
	for _, p := range patients {
		byShard[Shard(p)] = append(byShard[Shard(p)], p)
	}
	for _, shard := range sortedKeys(byShard) {
		list := byShard[shard]
		if len(list) >= denseFrom && w.tx.Engine() == store.SQLite { // whose order of ids is ours
			done, err := w.codesBetween(org, shard, list)
			if err != nil {
				return err
			}
			if done {
				continue
			}
		}
		if err := w.codesOf(org, shard, list); err != nil {
			return err
		}
	}
	return nil
}

// codesOf looks for each patient's letters.
func (w *work) codesOf(org person.OrgID, shard int, patients []person.ID) error {
	list, err := json.Marshal(patients)
	if err != nil {
		return err
	}
	return w.tx.Rows(`SELECT m.patient, m.code FROM `+w.tx.List("$3")+` l CROSS JOIN message m WHERE m.org = $1 AND m.shard = $2 AND m.patient = l.value AND m.at >= $4 AND m.code <> ''`,
		[]any{string(org), shard, string(list), store.Micros(w.now.Add(-codeWhile))}, func(scan func(...any) error) error {
			var p person.ID
			var code string
			err := scan(&p, &code)
			w.taken[p] += code
			return err
		})
}

// codesBetween reads the messages of the patients and of everybody between them. It reports false when they are too many.
func (w *work) codesBetween(org person.OrgID, shard int, patients []person.ID) (bool, error) {
	if w.s.crowded.Load() > 0 {
		w.s.crowded.Add(-1)
		return false, nil
	}
	read, most := 0, denseMost*len(patients)
	since := store.Micros(w.now.Add(-codeWhile))
	found := map[person.ID]string{}
	err := w.tx.Walk("SELECT patient, at, code FROM message WHERE org = $1 AND shard = $2 AND patient >= $3 AND patient <= $4 LIMIT $5",
		[]any{string(org), shard, string(slices.Min(patients)), string(slices.Max(patients)), most}, func(row store.Cells) error {
			if read++; row.Int(1) >= since && row.Text(2) != "" {
				found[person.ID(row.Text(0))] += row.Text(2)
			}
			return nil
		})
	if err != nil {
		return false, err
	}
	if read == most {
		w.s.crowded.Store(denseAgain)
		return false, nil
	}
	for _, p := range patients {
		if letters := found[p]; letters != "" {
			w.taken[p] += letters
			delete(found, p)
		}
	}
	return true, nil
}

package promise

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Shard answers the part of the ledger in which a patient lies.
func Shard(patient person.ID) int { return person.Shard(patient) }

// lockClass tells the ledger's advisory locks from others on PostgreSQL.
const lockClass = 7236838

// lock makes this transaction the only one that writes to a shard of the ledger, until it ends. On SQLite every write
// transaction is alone already.
func lock(tx *store.Tx, shard int) error {
	if tx.Engine() != store.Postgres {
		return nil
	}
	return tx.Later("SELECT pg_advisory_xact_lock($1, $2)", int64(lockClass), int64(shard)) // before whatever comes next, which thus sees what the last holder wrote
}

// head is the last line of a patient's history.
type head struct {
	seq  int64
	hash []byte
}

// chain links lines to the histories of the patients of one shard.
type chain struct {
	heads map[person.ID]*head
	buf   []byte
}

const (
	// denseFrom is from how many patients on it pays to try a range of the history instead of a look for each.
	denseFrom = 100
	// denseMost is how many lines a patient may have on average for that: a line read in passing takes a fifth of a look.
	denseMost = 4
)

// openChain reads the last lines of the patients' histories, all of one organization and shard, the patients in order and each once.
func openChain(tx *store.Tx, org person.OrgID, shard int, patients []person.ID) (*chain, error) {
	c := &chain{heads: make(map[person.ID]*head, len(patients))}
	heads := make([]head, len(patients))
	for i, id := range patients {
		c.heads[id] = &heads[i]
	}
	if len(patients) >= denseFrom {
		read, most := 0, denseMost*len(patients)
		err := tx.Walk(`SELECT patient, seq, hash FROM history WHERE org = $1 AND shard = $2 AND patient >= $3 AND patient <= $4 ORDER BY patient, seq LIMIT $5`,
			[]any{string(org), shard, string(patients[0]), string(patients[len(patients)-1]), most}, func(row store.Cells) error {
				if h := c.heads[person.ID(row.Text(0))]; h != nil {
					h.seq, h.hash = row.Int(1), row.Bytes(2)
				}
				read++
				return nil
			})
		if err != nil {
			return c, err
		}
		if read < most { // new patients, and any whom a database that sorts otherwise than we do has put outside the range
			patients = slices.DeleteFunc(slices.Clone(patients), func(id person.ID) bool { return c.heads[id].seq > 0 })
		}
	}
	if len(patients) == 0 {
		return c, nil
	}
	list, err := json.Marshal(patients)
	if err != nil {
		return nil, err
	}
	// One descent of the primary key per patient, whatever the length of the history.
	query := `SELECT p.value, COALESCE((SELECT h.seq FROM history h WHERE h.org = $1 AND h.shard = $2 AND h.patient = p.value ORDER BY h.seq DESC LIMIT 1), 0),
		(SELECT h.hash FROM history h WHERE h.org = $1 AND h.shard = $2 AND h.patient = p.value ORDER BY h.seq DESC LIMIT 1) FROM ` + tx.List("$3") + ` p`
	err = tx.Walk(query, []any{string(org), shard, string(list)}, func(row store.Cells) error {
		*c.heads[person.ID(row.Text(0))] = head{row.Int(1), row.Bytes(2)}
		return nil
	})
	return c, err
}

// link gives an event its number and hash.
func (c *chain) link(e *Event) {
	h := c.heads[e.Patient]
	e.Seq = h.seq + 1
	e.Hash = c.hash(h.hash, e)
	h.seq, h.hash = e.Seq, e.Hash
}

// hash is SHA-256 over the hash before and the event's fields, each with its length.
func (c *chain) hash(before []byte, e *Event) []byte {
	b := append(c.buf[:0], before...)
	for _, s := range [...]string{string(e.Org), string(e.Patient), string(e.Promise), e.Body} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	for _, n := range [...]int64{e.Seq, store.Micros(e.At), int64(e.Kind), int64(e.Rung)} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	c.buf = b
	sum := sha256.Sum256(b)
	return sum[:]
}

var historyColumns = []string{"org", "shard", "patient", "seq", "at", "kind", "promise", "rung", "body", "hash"}

// HistoryColumns are the columns of a line of history, for whoever measures.
func HistoryColumns() []string { return slices.Clone(historyColumns) }

// writeEvents appends linked events, all of one shard, in the order given.
func writeEvents(tx *store.Tx, shard int, events []Event) error {
	row := make([]any, len(historyColumns))
	return tx.Insert("history", historyColumns, len(events), func(i int) []any {
		e := &events[i]
		row[0], row[1], row[2], row[3], row[4] = string(e.Org), int64(shard), string(e.Patient), e.Seq, store.Micros(e.At)
		row[5], row[6], row[7], row[8], row[9] = int64(e.Kind), string(e.Promise), int64(e.Rung), e.Body, e.Hash
		return row
	})
}

// record appends a few events of one patient. The caller holds the shard's lock.
func record(tx *store.Tx, events ...Event) error {
	shard := Shard(events[0].Patient)
	c, err := openChain(tx, events[0].Org, shard, []person.ID{events[0].Patient})
	if err != nil {
		return err
	}
	for i := range events {
		c.link(&events[i])
	}
	return writeEvents(tx, shard, events)
}

var errEnough = errors.New("enough")

// eventsSince answers a patient's events from an instant on, oldest first. A line that does not follow from the one before it
// is not served: the ledger is damaged there (FAULTS 30).
func eventsSince(tx *store.Tx, org person.OrgID, patient person.ID, since time.Time) ([]Event, error) {
	events, err := readEvents(tx, org, patient, since)
	c := chain{}
	for i := 1; i < len(events) && err == nil; i++ {
		if !bytes.Equal(c.hash(events[i-1].Hash, &events[i]), events[i].Hash) {
			return nil, fault.New(fault.Unavailable, "The ledger is damaged. Run `doorstep check`, then restore a backup.")
		}
	}
	return events, err
}

// readEvents is eventsSince without looking at checksums. It walks the history from its end.
func readEvents(tx *store.Tx, org person.OrgID, patient person.ID, since time.Time) ([]Event, error) {
	var out []Event
	err := tx.Rows("SELECT seq, at, kind, promise, rung, body, hash FROM history WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY seq DESC",
		[]any{string(org), Shard(patient), string(patient)}, func(scan func(...any) error) error {
			e := Event{Org: org, Patient: patient}
			var at int64
			if err := scan(&e.Seq, &at, &e.Kind, &e.Promise, &e.Rung, &e.Body, &e.Hash); err != nil {
				return err
			}
			if e.At = store.Time(at); e.At.Before(since) {
				return errEnough
			}
			out = append(out, e)
			return nil
		})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, nil
}

func body(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fault.New(fault.Internal, "an event that cannot be written: %w", err))
	}
	return string(b)
}

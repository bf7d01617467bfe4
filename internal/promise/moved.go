package promise

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// When many promises are due at one instant they all move on alike: to the same rung at the same later instant. To take each of
// their rows away and put it in again costs as much as the message that the rung sends, and most are kept before the next
// rung. So the rows stay, and one row of agenda_moved says of the stretch in which they lie where they have gone. When that
// comes due, those that are still there are put in their places and climb like any others.
//
// No two stretches overlap, and a row that is put into a stretch would be taken for one that has moved: whoever puts rows in
// settles the stretches of that instant first (insertAgenda).

// togetherFrom is from how many rows on a batch is moved as a stretch: each is looked at whenever its part of the agenda is.
const togetherFrom = 100

// aheadOfClocks is how far in the future a row must be to lie in no stretch for certain: stretches hold rows that were due by
// the clock of some node.
const aheadOfClocks = 24 * time.Hour

// moved is a stretch of one part of the agenda.
type moved struct {
	severity    Severity
	shard       int
	first, last key // as the rows are stored; both at the same instant
	rung        int
	at          int64 // where they have gone
}

func (k key) args() []any { return []any{k.at, string(k.org), string(k.patient), string(k.id)} }

// movedWhere answers the stretches that a condition picks, in the agenda's order.
func movedWhere(tx *store.Tx, which string, args ...any) ([]moved, error) {
	list, err := movedLater(tx, which, args...)
	if err == nil {
		err = tx.Flush()
	}
	return *list, err
}

// movedLater is movedWhere, whose answer is there after the transaction's next call.
func movedLater(tx *store.Tx, which string, args ...any) (*[]moved, error) {
	return store.AllLater(tx, `SELECT severity, shard, stored, org, patient, promise, last_org, last_patient, last_promise, rung, at FROM agenda_moved
		WHERE `+which+` ORDER BY shard, severity, stored, org, patient, promise`, args, func(scan func(...any) error) (m moved, err error) {
		err = scan(&m.severity, &m.shard, &m.first.at, &m.first.org, &m.first.patient, &m.first.id, &m.last.org, &m.last.patient, &m.last.id, &m.rung, &m.at)
		m.last.at = m.first.at
		return m, err
	})
}

// movedOf answers the stretches of a part of the agenda.
func movedOf(tx *store.Tx, severity Severity, shard int) ([]moved, error) {
	return movedWhere(tx, "shard = $1 AND severity = $2", shard, int(severity))
}

// gap is a piece of a part of the agenda in which no row has moved: after one key, before another.
type gap struct{ after, before key }

// end is after every key.
var end = key{at: math.MaxInt64}

// gaps answers what stretches leave, from a key on that lies in none of them.
func gaps(after key, list []moved) []gap {
	out := make([]gap, 0, len(list)+1)
	for i := range list {
		out = append(out, gap{after, list[i].first})
		after = list[i].last
	}
	return append(out, gap{after, end})
}

// within picks the rows of a gap, in placeholders from $3 to $10.
const within = " a.shard = $1 AND a.severity = $2 AND (a.at, a.org, a.patient, a.promise) > ($3, $4, $5, $6) AND (a.at, a.org, a.patient, a.promise) < ($7, $8, $9, $10)"

func (g gap) args(severity Severity, shard int) []any {
	return slices.Concat([]any{shard, int(severity)}, g.after.args(), g.before.args())
}

// firstDue answers when the first rung of a part of the agenda is due, given its stretches; MaxInt64: there is none.
func firstDue(tx *store.Tx, severity Severity, shard int, list []moved) (int64, error) {
	first := int64(math.MaxInt64)
	for i := range list {
		first = min(first, list[i].at)
	}
	for _, g := range gaps(key{}, list) {
		var at int64
		found, err := tx.Row("SELECT a.at FROM agenda a WHERE"+within+" ORDER BY a.at LIMIT 1", g.args(severity, shard), &at)
		if err != nil || found {
			return min(first, at), err
		}
	}
	return first, nil
}

// firsts answers firstDue of every part of the agenda.
func firsts(tx *store.Tx) (out [severities][person.Shards]int64, err error) {
	list, err := movedWhere(tx, "1 = 1")
	if err != nil {
		return out, err
	}
	var of [severities][person.Shards][]moved
	for _, m := range list {
		of[m.severity][m.shard] = append(of[m.severity][m.shard], m)
	}
	for v := Routine; v <= Severe; v++ {
		for shard := range person.Shards {
			if out[v][shard], err = firstDue(tx, v, shard, of[v][shard]); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// moveTogether leaves the batch's rows where they are and notes where they have gone. It reports whether that can be done: all of
// them go to one later instant, and there are not fewer than from.
func (b *batch) moveTogether(tx *store.Tx, from int) (bool, error) {
	if len(b.rows) < from || len(b.again) != len(b.rows) {
		return false, nil
	}
	to := b.again[0]
	for i := range b.rows {
		if !b.rows[i].RungAt.Equal(b.rows[0].RungAt) || b.again[i].rung != to.rung || !b.again[i].at.Equal(to.at) {
			return false, nil
		}
	}
	if !to.at.After(b.now) || !to.at.After(b.rows[0].RungAt) { // it would have to be put in its place at once
		return false, nil
	}
	first, last := b.begin(), b.last()
	if tx.Engine() == store.SQLite { // on PostgreSQL the part has been locked since it was read
		var n int
		if _, err := tx.Row("SELECT COUNT(*) FROM agenda a WHERE a.shard = $1 AND a.severity = $2 AND (a.at, a.org, a.patient, a.promise) > ($3, $4, $5, $6)"+
			" AND (a.at, a.org, a.patient, a.promise) <= ($7, $8, $9, $10)", slices.Concat([]any{b.shard, int(b.severity)}, b.after.args(), last.args()), &n); err != nil {
			return true, err
		}
		if n != len(b.rows) {
			return true, errStale
		}
	}
	if b.after.at == first.at { // the stretch that ends there grows, if it went to the same place
		n, err := tx.Exec(`UPDATE agenda_moved SET last_org = $3, last_patient = $4, last_promise = $5 WHERE shard = $1 AND severity = $2
			AND stored = $6 AND last_org = $7 AND last_patient = $8 AND last_promise = $9 AND rung = $10 AND at = $11`,
			b.shard, int(b.severity), string(last.org), string(last.patient), string(last.id), first.at, string(b.after.org), string(b.after.patient), string(b.after.id),
			to.rung, store.Micros(to.at))
		if err != nil || n == 1 {
			return true, err
		}
	}
	_, err := tx.Exec(`INSERT INTO agenda_moved (shard, severity, stored, org, patient, promise, last_org, last_patient, last_promise, rung, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, b.shard, int(b.severity), first.at, string(first.org), string(first.patient), string(first.id),
		string(last.org), string(last.patient), string(last.id), to.rung, store.Micros(to.at))
	return true, err
}

// scatter puts the rows of the stretches of a part of the agenda that a condition on an instant ($3) picks in their places.
func scatter(tx *store.Tx, severity Severity, shard int, which string, at int64) error {
	for {
		list, err := movedWhere(tx, "shard = $1 AND severity = $2 AND "+which+"", shard, int(severity), at)
		if err != nil || len(list) == 0 {
			return err
		}
		m := list[0]
		// Where they go, others may have moved on from, when a rung was climbed late.
		if err := scatter(tx, severity, shard, "stored = $3", m.at); err != nil {
			return err
		}
		part := []any{shard, int(severity)}
		if _, err := tx.Exec(`UPDATE agenda SET rung = $11, at = $12 WHERE shard = $1 AND severity = $2 AND (at, org, patient, promise) >= ($3, $4, $5, $6)
			AND (at, org, patient, promise) <= ($7, $8, $9, $10)`, slices.Concat(part, m.first.args(), m.last.args(), []any{m.rung, m.at})...); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM agenda_moved WHERE shard = $1 AND severity = $2 AND stored = $3 AND org = $4 AND patient = $5 AND promise = $6",
			slices.Concat(part, m.first.args())...); err != nil {
			return err
		}
	}
}

// inStretch joins to a row of the agenda, a, the stretch in which it lies, m.
const inStretch = ` LEFT JOIN agenda_moved m ON m.shard = a.shard AND m.severity = a.severity AND m.stored = a.at
	AND (m.org, m.patient, m.promise) <= (a.org, a.patient, a.promise) AND (m.last_org, m.last_patient, m.last_promise) >= (a.org, a.patient, a.promise)`

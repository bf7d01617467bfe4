package message

import (
	"errors"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Many messages of one climb lie together: one shard's patients, in order, all moved at one instant. They have one lease
// between them, a row of handing, instead of one each, and are written once: their stored state (batched) says that the row is to
// be asked. While it is there they are being handed over; once it is gone they are sent. A lease of one's own costs a row in the
// index of what is due when it is written and again when it ends, and a mark of one's own a second write: together half a
// reminder. When the lease runs out, each message is given one of its own (expire), and what became of it is looked into as for
// any other.

// batched is the stored state of a batch's messages. It is less than any other, since it may become any.
const batched State = -1

// togetherFrom is from how many messages on they are a batch.
const togetherFrom = 50

// batch is messages on their way to a channel.
type batch struct {
	list     []Message
	id       string    // of the row of handing that is their lease; empty when each has its own
	severity Severity  // of the most severe
	leased   time.Time // when the lease was last given
	given    int       // how many have been given to the channel
	done     int       // of how many the channel has answered
	useful             // what its messages have in common, when they share a lease
	apart    bool      // some have rows of their own in the table of what is useful
}

func newBatch(id string, list []Message, leased time.Time) *batch {
	b := &batch{list: list, id: id, leased: leased}
	for i := range list {
		b.severity = max(b.severity, list[i].Severity)
	}
	return b
}

// together reports whether messages can share a lease.
func together(list []Message) bool {
	if len(list) < togetherFrom {
		return false
	}
	first := &list[0]
	shard := Shard(first.Patient)
	for i := range list {
		m := &list[i]
		if m.Org != first.Org || !m.Moved.Equal(first.Moved) || m.Channel != first.Channel || i > 0 && m.Patient < list[i-1].Patient || Shard(m.Patient) != shard {
			return false
		}
	}
	return true
}

// span picks a batch's messages as they were written.
const span = " WHERE org = $1 AND shard = $2 AND patient >= $3 AND patient <= $4 AND state = -1 AND moved_at = $5 AND channel = $6"

func (b *batch) span() []any {
	first, last := &b.list[0], &b.list[len(b.list)-1]
	return []any{string(first.Org), Shard(first.Patient), string(first.Patient), string(last.Patient), store.Micros(first.Moved), string(first.Channel)}
}

// insertLease writes the lease of a batch.
func (s *Service) insertLease(tx *store.Tx, b *batch) error {
	if b.id == "" {
		return nil
	}
	a := b.span()
	_, err := tx.Exec("INSERT INTO handing (id, channel, org, shard, first, last, moved_at, due_at, until_at, since_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		b.id, a[5], a[0], a[1], a[2], a[3], a[4], store.Micros(b.leased.Add(lease)), b.until, b.since)
	return err
}

// renew gives the messages that are not done a lease until an instant; those that another process has taken over leave the list,
// unless the channel has them, once the transaction is durable.
func (b *batch) renew(tx *store.Tx, until time.Time) error {
	kept := b.list
	if b.id != "" {
		n, err := tx.Exec("UPDATE handing SET due_at = $2 WHERE id = $1", b.id, store.Micros(until))
		if err != nil {
			return err
		}
		if n == 0 {
			kept = b.list[:b.given]
		}
	} else {
		kept = slices.Clone(b.list[:b.done])
		for i, m := range b.list[b.done:] {
			n, err := tx.Exec("UPDATE message SET due_at = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND at = $4 AND id = $5 AND state = 1 AND due_at = $7",
				append(keyOf(&m), store.Micros(until), store.Micros(m.Due))...)
			if err != nil {
				return err
			}
			if m.Due = until; n == 1 || b.done+i < b.given {
				kept = append(kept, m)
			}
		}
	}
	tx.After(func() { b.list, b.leased = kept, until.Add(-lease) })
	return nil
}

func dropLease(tx *store.Tx, id string) error {
	if id == "" {
		return nil
	}
	_, err := tx.Exec("DELETE FROM handing WHERE id = $1", id)
	return err
}

// errLapsed says that a batch's lease has run out and another process has looked into its messages.
var errLapsed = errors.New("the batch's lease has run out")

// markSent marks a whole batch as sent, or answers errLapsed: the transaction must then not be kept.
func (b *batch) markSent(tx *store.Tx) error {
	n, err := tx.Exec("DELETE FROM handing WHERE id = $1", b.id)
	if err == nil && n != 1 {
		err = errLapsed
	}
	if err != nil || !b.apart {
		return err
	}
	for i := range b.list {
		if err := b.list[i].forgetUseful(tx); err != nil {
			return err
		}
	}
	return nil
}

// stretch is where the messages of a batch lie that is being handed over.
type stretch struct {
	org         person.OrgID
	shard       int
	first, last person.ID
	moved       int64
	channel     person.Channel
}

func stretches(tx *store.Tx) ([]stretch, error) {
	return store.All(tx, "SELECT org, shard, first, last, moved_at, channel FROM handing", nil, func(scan func(...any) error) (x stretch, err error) {
		err = scan(&x.org, &x.shard, &x.first, &x.last, &x.moved, &x.channel)
		return x, err
	})
}

// resolve says of a message whose stored state is that of a batch whether it is being handed over or sent.
func (m *Message) resolve(open []stretch) {
	if m.State != batched {
		return
	}
	m.State = Sent
	for _, x := range open {
		if m.Org == x.org && Shard(m.Patient) == x.shard && m.Patient >= x.first && m.Patient <= x.last && store.Micros(m.Moved) == x.moved && m.Channel == x.channel {
			m.State = Handing
		}
	}
}

// expire gives the messages of leases that have run out leases of their own, which have run out too.
func (s *Service) expire(tx *store.Tx, channel person.Channel, now int64) error {
	lock := ""
	if tx.Engine() == store.Postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	type lapsed struct {
		id   string
		args []any
		useful
	}
	list, err := store.All(tx, "SELECT id, org, shard, first, last, moved_at, until_at, since_at FROM handing WHERE channel = $1 AND due_at <= $2 ORDER BY due_at, id"+lock,
		[]any{string(channel), now}, func(scan func(...any) error) (lapsed, error) {
			var l lapsed
			var org, first, last string
			var shard int
			var moved int64
			err := scan(&l.id, &org, &shard, &first, &last, &moved, &l.until, &l.since)
			l.args = []any{org, shard, first, last, moved, string(channel), now}
			return l, err
		})
	if err != nil {
		return err
	}
	for _, l := range list {
		if l.useful != (useful{}) { // from now on each is looked at by itself
			if _, err := tx.Exec(`INSERT INTO useful (id, org, patient, at, until_at, since_at)
				SELECT id, org, patient, at, CAST($7 AS BIGINT), CAST($8 AS BIGINT) FROM message`+span+" ON CONFLICT DO NOTHING",
				slices.Concat(l.args[:6], []any{l.until, l.since})...); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("UPDATE message SET state = 1, due_at = $7"+span, l.args...); err != nil {
			return err
		}
		if err := dropLease(tx, l.id); err != nil {
			return err
		}
	}
	return nil
}

package message

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// A message that had to wait, through an outage of its gateway or because no server ran, is looked at again before it goes out: one that is
// of no more use is dropped, any other says that it is late (FAULTS 4, 14). Until when it is of use stands in a row of its own, which
// is there while the message or the next channel's may still go out.

// lateFrom is how long after it should have gone out a message must say so.
const lateFrom = 2 * time.Minute

// useful says until when a message is of use, and since when it should have gone out.
type useful struct {
	until int64 // µs; 0: always
	since int64 // µs; 0: since it was due
	aside bool  // it has a row of its own in the table
}

// over reports whether the message is of no more use.
func (u *useful) over(now int64) bool { return u.until > 0 && now > u.until }

var errUseless = fault.Conflictf("the message is of no more use")

var usefulColumns = []string{"id", "org", "patient", "at", "until_at", "since_at"}

// insertUseful writes the rows of those messages that are to have one.
func insertUseful(tx *store.Tx, list []Message) error {
	var some []*Message
	for i := range list {
		if list[i].aside {
			some = append(some, &list[i])
		}
	}
	return tx.Insert("useful", usefulColumns, len(some), func(i int) []any {
		m := some[i]
		return []any{m.ID, string(m.Org), string(m.Patient), store.Micros(m.At), m.until, m.since}
	})
}

// keepUseful writes down what this process knows of a message that is to wait.
func (m *Message) keepUseful(tx *store.Tx) error {
	if m.until == 0 && m.since == 0 {
		return nil
	}
	m.aside = true
	return tx.Later(`INSERT INTO useful (id, org, patient, at, until_at, since_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id, org, patient, at) DO UPDATE SET until_at = excluded.until_at, since_at = excluded.since_at`,
		m.ID, string(m.Org), string(m.Patient), store.Micros(m.At), m.until, m.since)
}

// forgetUseful takes a message's row away, if it has one.
func (m *Message) forgetUseful(tx *store.Tx) error {
	if !m.aside {
		return nil
	}
	return tx.Later("DELETE FROM useful WHERE id = $1 AND org = $2 AND patient = $3 AND at = $4", m.ID, string(m.Org), string(m.Patient), store.Micros(m.At))
}

// readUseful completes messages that were read from the database.
func readUseful(tx *store.Tx, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	type key struct {
		id      string
		org     person.OrgID
		patient person.ID
		at      int64
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	found := map[key]useful{}
	if err := tx.Rows("SELECT u.id, u.org, u.patient, u.at, u.until_at, u.since_at FROM "+tx.List("$1")+" l CROSS JOIN useful u WHERE u.id = l.value", []any{string(text)},
		func(scan func(...any) error) error {
			var k key
			u := useful{aside: true}
			err := scan(&k.id, &k.org, &k.patient, &k.at, &u.until, &u.since)
			found[k] = u
			return err
		}); err != nil {
		return err
	}
	for i := range list {
		m := &list[i]
		m.useful = found[key{m.ID, m.Org, m.Patient, store.Micros(m.At)}]
	}
	return nil
}

// late reports whether the message should have gone out a while ago.
func (u *useful) late(now int64) bool { return u.since > 0 && now-u.since >= lateFrom.Microseconds() }

// begin says of a message that was read, with what is known of its use, since when it should have gone out.
func (m *Message) begin() {
	if m.since > 0 {
		return
	}
	if m.State == Queued {
		m.since = store.Micros(m.Due)
	} else {
		m.since = store.Micros(m.Moved)
	}
}

// shared answers what most messages of a batch have in common; the others are to have rows of their own.
func shared(list []Message) useful {
	first := list[0].useful
	same := true
	for i := range list {
		same = same && list[i].useful == first
	}
	if same {
		return first
	}
	count := map[useful]int{}
	for i := range list {
		if count[list[i].useful]++; count[list[i].useful] > count[first] {
			first = list[i].useful
		}
	}
	return first
}

// plainly answers a message's words for its channel, saying that they are late where they are and do not say so by themselves.
func (s *Service) plainly(ctx context.Context, m *Message, body string, now int64) string {
	if !m.late(now) || m.Channel == person.Cue || m.Say == rawSay {
		return body
	}
	reader := s.reader(ctx, *m)
	if _, ok := words.Read(reader.Language, "sms."+m.Say+".late", m.Body, nil); ok {
		return body
	}
	return words.Say(reader.Language, "sms.late", map[string]string{"time": words.When(reader.Language, store.Time(m.since), store.Time(now), reader.Location()), "text": body})
}

// useless says in the log that a message was not sent.
func useless(m *Message, now time.Time) {
	slog.Info("a message was not sent: it was of no more use", "message", m.ID, "channel", m.Channel, "say", m.Say, "late", now.Sub(store.Time(m.until)).Round(time.Second))
}

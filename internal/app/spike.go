package app

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Spike is the morning of a million doses: everybody's is due at 08:00:00.
type Spike struct {
	DB       *store.DB
	Doses    int
	Clock    *clock.Sim
	IDs      *clock.IDs
	People   *person.Service
	Promises *promise.Service
	Messages *message.Service
	Channel  message.Channel
	Progress func(string, int)
}

var spikeAt = time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC) // 08:00 in New York

// NewSpike migrates an empty database and puts the ledger and the outbox on it.
func NewSpike(ctx context.Context, db *store.DB, doses int, ch message.Channel) (*Spike, error) {
	for _, room := range []room{{"person", person.Migrations}, {"promise", promise.Migrations}, {"message", message.Migrations}} {
		if err := db.Migrate(ctx, room.name, room.fs); err != nil {
			return nil, err
		}
	}
	s := &Spike{DB: db, Doses: doses, Clock: clock.NewSim(spikeAt.Add(-12 * time.Hour)), Channel: ch, Progress: func(string, int) {}}
	s.IDs = clock.SeededIDs(s.Clock, 1)
	s.People = person.New(db, s.Clock, s.IDs)
	s.Promises = promise.New(db, s.Clock, s.IDs, s.People)
	var err error
	if s.Messages, err = message.New(ctx, db, s.Clock, s.IDs, s.People, "https://doorstep.example"); err != nil {
		return nil, err
	}
	s.Messages.SetChannel(person.SMS, ch)
	s.Promises.SetHands(hands{s.Messages})
	return s, nil
}

const spikeOrg = person.OrgID("bench")

// Fill makes the patients, their telephones and their doses of 08:00.
func (s *Spike) Fill(ctx context.Context) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		if err := s.People.SaveOrg(tx, person.Org{ID: spikeOrg, Name: "Elm Street Clinic", Zone: "America/New_York", Language: "en", Phone: "555 0100"}); err != nil {
			return err
		}
		return s.Promises.SaveLadder(tx, spikeOrg, DoseLadder)
	})
	if err != nil {
		return err
	}
	const chunk = 5000
	for from := 0; from < s.Doses; from += chunk {
		n := min(chunk, s.Doses-from)
		err := s.DB.Write(ctx, func(tx *store.Tx) error {
			ids := make([]person.ID, n)
			for i := range ids {
				ids[i] = person.ID(s.IDs.New())
			}
			if err := s.fillPeople(tx, ids, from); err != nil {
				return err
			}
			list := make([]promise.Promise, n)
			for i, id := range ids {
				list[i] = promise.Promise{Org: spikeOrg, Patient: id, Kind: "dose", About: string(id), Say: "say.dose", Args: map[string]string{"time": spikeAt.Format(time.RFC3339)},
					Keeper: promise.Keeper{Kind: "patient", Who: string(id)}, From: spikeAt, By: spikeAt.Add(2 * time.Hour), Zone: "America/New_York",
					Ladder: promise.LadderRef{Name: DoseLadder.Name, Version: DoseLadder.Version}}
			}
			_, err := s.Promises.Make(tx, list...)
			return err
		})
		if err != nil {
			return err
		}
		s.Progress("filled", from+n)
	}
	return nil
}

func (s *Spike) fillPeople(tx *store.Tx, ids []person.ID, from int) error {
	err := tx.Insert("person", []string{"org", "shard", "id", "role", "name", "called", "birth_year", "language", "zone", "routine", "day_start", "quiet_from", "quiet_to", "record", "active", "made_at"},
		len(ids), func(i int) []any {
			return []any{string(spikeOrg), int64(person.Shard(ids[i])), string(ids[i]), "patient", "Pat Doe", "Pat", int64(1950), "en", "America/New_York", "{}", int64(180), int64(1260), int64(420), "", int64(1), int64(0)}
		})
	if err != nil {
		return err
	}
	return tx.Insert("contact", []string{"org", "shard", "person", "rank", "channel", "address", "consent", "consent_at", "consent_source", "shared"}, len(ids), func(i int) []any {
		return []any{string(spikeOrg), int64(person.Shard(ids[i])), string(ids[i]), int64(0), "sms", fmt.Sprintf("+1555%07d", from+i), "given", int64(0), "bench", int64(0)}
	})
}

// Go lets 08:00 come and climbs until every reminder is handed over. It answers how long that took.
func (s *Spike) Go(ctx context.Context) (time.Duration, error) {
	s.Clock.Set(spikeAt)
	if err := s.Promises.Refresh(ctx); err != nil {
		return 0, err
	}
	run, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	began := time.Now()
	go func() { sent <- s.Messages.Run(run) }()
	for !s.Messages.Running() {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.Promises.Climb(ctx); err != nil {
		stop()
		<-sent
		return 0, err
	}
	for {
		_, more, err := s.Messages.NextDue(ctx)
		if err != nil || !more {
			stop()
			<-sent
			return time.Since(began), err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Plain inserts the same rows (history and message) again, in batches of the same size, each durable, into two fresh tables
// of the same shape with the same indexes: what the ledger's work is measured against. It answers how long the inserting took;
// reading the rows does not count.
func (s *Spike) Plain(ctx context.Context) (time.Duration, error) {
	if err := s.plainTables(ctx); err != nil {
		return 0, err
	}
	var took time.Duration
	for shard := range person.Shards {
		for after := ""; ; {
			history, err := s.spikeRows(ctx, "history", "kind = 2", shard, after)
			if err != nil {
				return 0, err
			}
			if len(history.rows) == 0 {
				break
			}
			messages, err := s.spikeRows(ctx, "message", "inward = 0", shard, after)
			if err != nil {
				return 0, err
			}
			began := time.Now()
			err = s.DB.Write(ctx, func(tx *store.Tx) error {
				if err := history.insert(tx); err != nil {
					return err
				}
				return messages.insert(tx)
			})
			if err != nil {
				return 0, err
			}
			took += time.Since(began)
			after = history.rows[len(history.rows)-1][history.patient].(string)
		}
	}
	return took, nil
}

// plainTables makes plain_history and plain_message.
func (s *Spike) plainTables(ctx context.Context) error {
	return s.DB.Write(ctx, func(tx *store.Tx) error {
		for _, table := range []string{"history", "message"} {
			texts := []string{"CREATE TABLE plain_" + table + " (LIKE " + table + " INCLUDING ALL)"}
			if tx.Engine() == store.SQLite {
				var err error
				if texts, err = store.All(tx, "SELECT sql FROM sqlite_master WHERE tbl_name = $1 AND sql IS NOT NULL ORDER BY type DESC", []any{table},
					func(scan func(...any) error) (text string, err error) { return text, scan(&text) }); err != nil {
					return err
				}
			}
			for _, text := range texts {
				if tx.Engine() == store.SQLite {
					text = strings.ReplaceAll(text, table, "plain_"+table)
				}
				if _, err := tx.Exec(text); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// plainRows are rows of a table, as they are.
type plainRows struct {
	table   string
	columns []string
	patient int // which column it is
	rows    [][]any
}

func (p *plainRows) insert(tx *store.Tx) error {
	return tx.Insert("plain_"+p.table, p.columns, len(p.rows), func(i int) []any { return p.rows[i] })
}

// spikeRows reads what the spike wrote into a shard of a table, a batch from a patient on.
func (s *Spike) spikeRows(ctx context.Context, table, which string, shard int, after string) (*plainRows, error) {
	p := &plainRows{table: table, columns: promise.HistoryColumns()}
	if table == "message" {
		p.columns = message.Columns()
	}
	p.patient = slices.Index(p.columns, "patient")
	return p, s.DB.Read(ctx, func(tx *store.Tx) error {
		return tx.Walk("SELECT "+strings.Join(p.columns, ", ")+" FROM "+table+" WHERE org = $1 AND shard = $2 AND patient > $3 AND "+which+" ORDER BY patient LIMIT $4",
			[]any{string(spikeOrg), shard, after, promise.BatchRows}, func(row store.Cells) error {
				values := make([]any, len(row))
				for i, v := range row {
					values[i] = v
				}
				p.rows = append(p.rows, values)
				return nil
			})
	})
}

// Figure is one measured value.
type Figure struct {
	Name   string
	Value  float64
	Unit   string
	Engine string
	N      int
}

// BenchSpike measures the morning of so many doses on an empty database that openDB opens: how long until the last reminder is
// handed over, how much of that a plain insert of the same rows would have taken, and the most memory this process had meanwhile.
func BenchSpike(ctx context.Context, openDB func() (*store.DB, error), doses int) ([]Figure, error) {
	db, err := openDB()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	counter := &message.Counter{}
	s, err := NewSpike(ctx, db, doses, counter)
	if err != nil {
		return nil, err
	}
	if err := s.Fill(ctx); err != nil {
		return nil, err
	}
	resetPeak()
	took, err := s.Go(ctx)
	if err != nil {
		return nil, err
	}
	peak := PeakMB()
	if counter.N != int64(doses) {
		return nil, fmt.Errorf("%d reminders were handed over, want %d", counter.N, doses)
	}
	plain, err := s.Plain(ctx)
	if err != nil {
		return nil, err
	}
	engine := string(db.Engine())
	return []Figure{
		{"ledger.spike.seconds", took.Seconds(), "s", engine, doses},
		{"ledger.spike.ratio", took.Seconds() / plain.Seconds(), "x", engine, doses},
		{"ledger.spike.mb", peak, "MB", engine, doses},
	}, nil
}

// resetPeak lets the peak of this process' memory begin anew, so that filling does not count. Where the system does not permit
// it, it does.
func resetPeak() {
	debug.FreeOSMemory()
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // proc(5): resets VmHWM
}

// PeakMB answers the most memory this process has had, in MB (VmHWM).
func PeakMB() float64 { return procMB("VmHWM:") }

func procMB(key string) float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

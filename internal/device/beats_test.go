package device

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Beats that a relay sends as raw notifications of 2A37 over MQTT become a session with the pacer, in their order, though the network
// holds some of them back.
func TestBeatsByMQTT(t *testing.T) {
	t.Parallel()
	each(t, func(e *edge) {
		ctx, c := e.Context(), e.in.Clock.(*clock.Sim)
		must := func(err error) {
			e.Helper()
			if err != nil {
				e.Fatal(err)
			}
		}
		must(e.db.Migrate(ctx, "person", person.Migrations))
		must(e.db.Migrate(ctx, "record", record.Migrations))
		must(e.db.Migrate(ctx, "breath", breath.Migrations))
		ids := clock.SeededIDs(c, 2)
		people := person.New(e.db, c, ids)
		must(e.db.Write(ctx, func(tx *store.Tx) error {
			must(people.SaveOrg(tx, person.Org{ID: "org", Name: "Elm", Zone: "UTC", Language: "en"}))
			_, err := people.Save(tx, person.Person{ID: "ana", Org: "org", Role: person.Patient, Name: "Ana Ruiz", BirthYear: 1950, Language: "es", Zone: "UTC"})
			return err
		}))
		sittings := breath.New(e.db, c, people, e.in.Service, record.New(e.db, c, ids))
		relay, err := dialMini(e.broker.Addr(), "x", e.dev.ID, e.key)
		must(err)
		defer relay.close()

		at := 0.0 // ms since the first beat
		var heard []float64
		tell := func(n int) { // a notification with the intervals of n beats
			note := []byte{0x16, 70}
			for range n {
				units := math.Round((850 + 50*math.Sin(2*math.Pi*at/10_000)) * 1.024)
				ms := units * 1000 / 1024
				note = binary.LittleEndian.AppendUint16(note, uint16(units))
				heard = append(heard, ms)
				at += ms
			}
			late := time.Duration(len(heard)%3) * 150 * time.Millisecond
			if due := noon.Add(time.Duration(at*float64(time.Millisecond)) + late); due.After(c.Now()) {
				c.Set(due)
			}
			must(relay.publish(e.topic("gatt/2A37"), note))
		}
		tell(2)
		c.Advance(time.Second)
		heard, at = nil, float64(c.Now().Sub(noon).Milliseconds())
		tick := breath.Batch{Org: person.Org{ID: "org"}, Patient: "ana", By: "ana", Session: "by-mqtt-1", Pace: 6, Source: e.dev.ID}
		_, err = sittings.Add(ctx, tick)
		must(err)
		for len(heard) < 120 {
			tell(1 + len(heard)%2)
		}
		c.Advance(time.Second)
		tick.N = 1
		p, err := sittings.Add(ctx, tick)
		must(err)
		x, err := sittings.Finish(ctx, "org", "ana", "by-mqtt-1", 2)
		must(err)
		if !reflect.DeepEqual(x.Session, coherence.Sum(heard)) || p.Score != coherence.Live(heard) || p.Score.Coherence < 0.9 {
			e.Errorf("%+v\nwant %+v", x.Session, coherence.Sum(heard))
		}
	})
}

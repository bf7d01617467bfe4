package journey

import (
	"encoding/json"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/journey/burden"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// ItemState is how an item stands.
type ItemState string

const (
	Planned  ItemState = "planned"  // nobody was told: it may change
	Promised ItemState = "promised" // she was told: it moves only when she is asked
	ItemDone ItemState = "done"
	Missed   ItemState = "missed" // its time passed, and nothing shows that it was done
)

// Item is one need of one time, with its way and time.
type Item struct {
	Org     person.OrgID   `json:"-"`
	Patient person.ID      `json:"-"`
	ID      string         `json:"id"` // of the occurrence
	Need    ID             `json:"need"`
	Way     string         `json:"way"`
	Mode    Mode           `json:"mode"`
	Place   string         `json:"place,omitempty"` // of the clinic or an outlet
	Start   time.Time      `json:"start"`
	End     time.Time      `json:"end"`
	Trip    string         `json:"trip,omitempty"` // empty: at home
	State   ItemState      `json:"state"`
	Promise promise.ID     `json:"promise,omitempty"`
	Visit   appointment.ID `json:"visit,omitempty"`
	Why     Why            `json:"why"`
}

// Why says why an item is done in its way: what it burdens, what the counterfactual would, and why no other way was chosen.
type Why struct {
	Kind      string            `json:"kind"`
	From      time.Time         `json:"from"` // the window in which it has to be done
	By        time.Time         `json:"by"`
	Window    time.Time         `json:"until,omitzero"` // of a delivery or a pick-up: it may be until then
	Burden    burden.Parts      `json:"burden"`         // its own part; what the trip burdens stands with the trip
	Instead   *Instead          `json:"instead,omitempty"`
	Others    map[string]string `json:"others,omitempty"` // way: why not
	Resources []string          `json:"resources,omitempty"`
	With      string            `json:"with,omitempty"`
	Firm      bool              `json:"firm,omitempty"` // she has said no to a move of it
	Kept      string            `json:"kept,omitempty"` // the version of the kind of need it was planned by
}

// Instead is the counterfactual of an item: the nearest clinic way, in one trip of its own.
type Instead struct {
	Way   string       `json:"way"`
	Place string       `json:"place"`
	Parts burden.Parts `json:"parts"`
	Miles float64      `json:"miles"`
	Care  bool         `json:"care"`
}

// Trip is one outing, door to door: the way there and the way back are one row.
type Trip struct {
	Org       person.OrgID `json:"-"`
	Patient   person.ID    `json:"-"`
	ID        string       `json:"id"`
	State     ItemState    `json:"state"`
	Means     string       `json:"means"`
	Leave     time.Time    `json:"leave"`      // home
	Arrive    time.Time    `json:"arrive"`     // at the first stop
	LeaveBack time.Time    `json:"leave_back"` // from the last stop
	Home      time.Time    `json:"home"`
	OutState  LegState     `json:"out_state"`
	BackState LegState     `json:"back_state"`
	OutRide   string       `json:"out_ride,omitempty"` // of who drives; empty: none is booked
	BackRide  string       `json:"back_ride,omitempty"`
	Parts     burden.Parts `json:"parts"` // of the way: contact day, travel, idling
	Miles     float64      `json:"miles"`
	Care      bool         `json:"care"`
	Stops     []string     `json:"stops"`             // items, in their order
	Problem   []string     `json:"problem,omitempty"` // followers that could not follow, until somebody has seen to them
	Next      *Trip        `json:"next,omitempty"`    // as it would be with what is planned to join it; nil: nothing is

	Legs map[string]leg `json:"-"` // the ways that it was made of, "from>to": kept for when it has to be made anew
}

// leg is one way of a trip as it was counted.
type leg struct {
	burden.Leg
	Miles float64
}

// LegState is how one way of a trip stands.
type LegState string

const (
	LegPlanned   LegState = "planned"
	LegBooked    LegState = "booked"
	LegCancelled LegState = "cancelled"
	LegDone      LegState = "done"
)

var itemColumns = []string{"org", "shard", "patient", "id", "need", "way", "mode", "place", "start_at", "end_at", "trip", "state", "promise", "visit", "body"}

func (s *Service) putItem(tx *store.Tx, it Item) error {
	body, err := json.Marshal(it.Why)
	if err != nil {
		return err
	}
	return tx.Put("journey_item", itemColumns, 4, 1, func(int) []any {
		return []any{string(it.Org), int64(person.Shard(it.Patient)), string(it.Patient), it.ID, string(it.Need), it.Way, string(it.Mode), it.Place, store.Micros(it.Start), store.Micros(it.End), it.Trip,
			string(it.State), string(it.Promise), string(it.Visit), string(body)}
	})
}

func (s *Service) removeItem(tx *store.Tx, it Item) error {
	_, err := tx.Exec("DELETE FROM journey_item WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", string(it.Org), person.Shard(it.Patient), string(it.Patient), it.ID)
	return err
}

const itemSelect = "SELECT org, patient, id, need, way, mode, place, start_at, end_at, trip, state, promise, visit, body FROM journey_item"

func scanItem(scan func(...any) error) (Item, error) {
	var it Item
	var body string
	var start, end int64
	if err := scan(&it.Org, &it.Patient, &it.ID, &it.Need, &it.Way, &it.Mode, &it.Place, &start, &end, &it.Trip, &it.State, &it.Promise, &it.Visit, &body); err != nil {
		return it, err
	}
	it.Start, it.End = store.Time(start), store.Time(end)
	return it, json.Unmarshal([]byte(body), &it.Why)
}

// items answers a person's items, in order of time.
func (s *Service) items(tx *store.Tx, org person.OrgID, patient person.ID) ([]Item, error) {
	return store.All(tx, itemSelect+" WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY start_at, id", []any{string(org), person.Shard(patient), string(patient)}, scanItem)
}

// item answers one item of a person.
func (s *Service) item(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Item, error) {
	list, err := store.All(tx, itemSelect+" WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), id}, scanItem)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("That is not in the plan any more. Please look again.")
	}
	if err != nil {
		return Item{}, err
	}
	return list[0], nil
}

// tripBody is what a trip keeps besides its columns.
type tripBody struct {
	Parts   burden.Parts `json:"parts"`
	Miles   float64      `json:"miles"`
	Care    bool         `json:"care"`
	Stops   []string     `json:"stops"`
	Problem []string     `json:"problem,omitempty"`
	Next    *Trip        `json:"next,omitempty"`
	Legs    map[string]leg
}

var tripColumns = []string{"org", "shard", "patient", "id", "state", "means", "out_state", "out_leave", "out_arrive", "out_ride", "back_state", "back_leave", "back_arrive", "back_ride", "body"}

func (s *Service) putTrip(tx *store.Tx, t Trip) error {
	body, err := json.Marshal(tripBody{t.Parts, t.Miles, t.Care, t.Stops, t.Problem, t.Next, t.Legs})
	if err != nil {
		return err
	}
	return tx.Put("journey_trip", tripColumns, 4, 1, func(int) []any {
		return []any{string(t.Org), int64(person.Shard(t.Patient)), string(t.Patient), t.ID, string(t.State), t.Means, string(t.OutState), store.Micros(t.Leave), store.Micros(t.Arrive), t.OutRide,
			string(t.BackState), store.Micros(t.LeaveBack), store.Micros(t.Home), t.BackRide, string(body)}
	})
}

func (s *Service) removeTrip(tx *store.Tx, t Trip) error {
	_, err := tx.Exec("DELETE FROM journey_trip WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", string(t.Org), person.Shard(t.Patient), string(t.Patient), t.ID)
	return err
}

const tripSelect = "SELECT org, patient, id, state, means, out_state, out_leave, out_arrive, out_ride, back_state, back_leave, back_arrive, back_ride, body FROM journey_trip"

func scanTrip(scan func(...any) error) (Trip, error) {
	var t Trip
	var body string
	var leave, arrive, back, home int64
	if err := scan(&t.Org, &t.Patient, &t.ID, &t.State, &t.Means, &t.OutState, &leave, &arrive, &t.OutRide, &t.BackState, &back, &home, &t.BackRide, &body); err != nil {
		return t, err
	}
	t.Leave, t.Arrive, t.LeaveBack, t.Home = store.Time(leave), store.Time(arrive), store.Time(back), store.Time(home)
	var b tripBody
	err := json.Unmarshal([]byte(body), &b)
	t.Parts, t.Miles, t.Care, t.Stops, t.Problem, t.Next, t.Legs = b.Parts, b.Miles, b.Care, b.Stops, b.Problem, b.Next, b.Legs
	return t, err
}

// trips answers a person's trips, in order of time.
func (s *Service) trips(tx *store.Tx, org person.OrgID, patient person.ID) ([]Trip, error) {
	return store.All(tx, tripSelect+" WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY out_leave, id", []any{string(org), person.Shard(patient), string(patient)}, scanTrip)
}

// trip answers one trip of a person.
func (s *Service) trip(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Trip, error) {
	list, err := store.All(tx, tripSelect+" WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), id}, scanTrip)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("That is not in the plan any more. Please look again.")
	}
	if err != nil {
		return Trip{}, err
	}
	return list[0], nil
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

package appointment

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep/internal/appointment/noshow"
	"doorstep/internal/appointment/policy"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Overbooking says that visits of a type may be booked beside others of a clinician.
type Overbooking struct {
	Share float64   `json:"share"` // of the visits expected to be missed that is booked beside them
	Price string    `json:"price"` // the simulation that was seen
	By    person.ID `json:"by"`    // who switched it on
	At    time.Time `json:"at"`
}

// ShareMost is how much of the visits that are expected to be missed may be booked beside them.
const ShareMost = 0.8

const (
	priceGood  = 30 * 24 * time.Hour // how long a simulated price may stand for a switch
	priceSeeds = 8
	priceDays  = 90
	lookDays   = 28 // of hours, from which a clinician's usual day is read
)

// Price is a simulation of what overbooking would cost one clinician and type.
type Price struct {
	ID       string
	Resource string
	Type     string
	Share    float64
	Made     time.Time
	By       person.ID
	World    struct {
		Slots   int     `json:"slots"`   // visits a day
		Minutes int     `json:"minutes"` // from one start to the next
		Own     bool    `json:"own"`     // chances of missed visits are the clinic's own, else the published curve's
		Missed  float64 `json:"missed"`  // share of visits a week ahead that are missed
	}
	Lines []policy.Price // at a lower and a higher load
}

// priced is the part of a price that is stored as JSON.
type priced struct {
	World any            `json:"world"`
	Lines []policy.Price `json:"lines"`
}

// SimulatePrice works out what booking beside others would do to a clinician's days and her patients' waits, by the clinic's own chances of
// missed visits where they are known, and keeps it. It takes seconds; nothing is switched on by it.
func (s *Service) SimulatePrice(ctx context.Context, v person.Viewer, org person.OrgID, resource, typ string, share float64) (Price, error) {
	p := Price{ID: s.ids.New(), Resource: resource, Type: typ, Share: share, Made: s.clock.Now(), By: v.Person}
	if !v.Role.Staff() {
		return p, fault.Deniedf("Only the clinic can book beside others.")
	}
	if !(share > 0 && share <= ShareMost) {
		return p, fault.Invalidf("The share lies between 1 and %d percent.", int(100*ShareMost))
	}
	var r Resource
	var t Type
	var m noshow.Model
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		if r, t, err = s.overbookable(tx, org, resource, typ); err == nil {
			m, err = s.Chances(tx, org)
		}
		return err
	}); err != nil {
		return p, err
	}
	w, err := worldOf(r, t, m, p.Made)
	if err != nil {
		return p, err
	}
	p.World.Slots, p.World.Minutes, p.World.Own, p.World.Missed = w.Slots, w.SlotMin, m.Own(), w.NoShow(7)
	s.pricing.Lock() // one at a time: it takes all processors
	defer s.pricing.Unlock()
	for _, load := range []float64{0.85, 1} {
		w.Load = load
		line, err := policy.PriceOf(ctx, w, share, 1, priceSeeds)
		if err != nil {
			return p, err
		}
		p.Lines = append(p.Lines, line)
	}
	return p, s.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT INTO overbook_price (org, id, resource, type, share, made_at, by_person, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			string(org), p.ID, resource, typ, share, store.Micros(p.Made), string(v.Person), asJSON(priced{p.World, p.Lines})); err != nil {
			return err
		}
		return s.people.Audit(tx, v, "", "change", "overbooking simulated")
	})
}

// overbookable answers a clinician and a type that she holds.
func (s *Service) overbookable(tx *store.Tx, org person.OrgID, resource, typ string) (Resource, Type, error) {
	t, err := s.Type(tx, org, typ)
	if err != nil {
		return Resource{}, t, err
	}
	list, err := s.resourcesByID(tx, org, []string{resource})
	if err != nil {
		return Resource{}, t, err
	}
	if r := list[0]; r.Kind != Clinician || !r.Active || !t.Active || !r.Holds(typ) {
		return r, t, fault.Invalidf("Please choose a clinician who holds this type of visit.")
	}
	return list[0], t, nil
}

// worldOf is the clinic of one clinician as policy simulates it: as many visits a day as her hours have of the type, the type's length, and
// the chances of missed visits by lead. Everything else is assumed as docs/access.md says.
func worldOf(r Resource, t Type, m noshow.Model, now time.Time) (policy.World, error) {
	w := policy.Clinic(1)
	o := t.Offers[0]
	for _, x := range t.Offers {
		if x.Way == Clinic {
			o = x
		}
	}
	open, days := time.Duration(0), map[string]bool{}
	for _, h := range r.Hours {
		if h.Serves(o.Way, h.Place) {
			for _, span := range h.Calendar.Spans(now, now.AddDate(0, 0, lookDays)) {
				open += span.To.Sub(span.From)
				days[span.From.Format(time.DateOnly)] = true
			}
		}
	}
	w.Clinicians, w.SlotMin, w.Days, w.After = 1, o.Before+o.Min+o.After, priceDays, priceDays
	if len(days) > 0 {
		w.Slots = int(open/time.Minute) / len(days) / w.SlotMin
	}
	if len(days) == 0 || w.Slots < 2 {
		return w, fault.Invalidf("%s has no days with two such visits or more. Please set the hours first.", r.Name)
	}
	w.Slots = min(w.Slots, 96)
	w.Opens = min(w.Opens, 24*60-w.Slots*w.SlotMin)
	w.VisitMean = float64(o.Min) * 25 / 30
	noon := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC) // a Tuesday: no edge of the week
	w.NoShow = func(lead int) float64 {
		return m.Chance(noshow.Visit{Start: noon, Lead: lead, Remote: o.Way != Clinic, Before: 1})
	}
	return w, nil
}

// Overbook switches booking beside others on, for one clinician and type, at the share whose price was simulated within the last 30 days.
func (s *Service) Overbook(tx *store.Tx, v person.Viewer, org person.OrgID, price string) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can book beside others.")
	}
	list, err := store.All(tx, priceSelect+" WHERE org = $1 AND id = $2", []any{string(org), price}, scanPrice)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	if len(list) == 0 || list[0].Made.Before(now.Add(-priceGood)) {
		return fault.Conflictf("Please simulate the price first: it is switched on by who has seen it.")
	}
	p := list[0]
	if _, _, err := s.overbookable(tx, org, p.Resource, p.Type); err != nil {
		return err
	}
	return s.switchOverbook(tx, v, org, p.Resource, p.Type, &Overbooking{p.Share, p.ID, v.Person, now})
}

// EndOverbook switches it off. Visits that stand beside others stay where they are.
func (s *Service) EndOverbook(tx *store.Tx, v person.Viewer, org person.OrgID, resource, typ string) error {
	if !v.Role.Staff() {
		return fault.Deniedf("Only the clinic can book beside others.")
	}
	return s.switchOverbook(tx, v, org, resource, typ, nil)
}

func (s *Service) switchOverbook(tx *store.Tx, v person.Viewer, org person.OrgID, resource, typ string, to *Overbooking) error {
	if err := touch(tx, org, []string{resource}); err != nil { // keeps two switches apart, and tells the copies in memory
		return err
	}
	list, err := s.resourcesByID(tx, org, []string{resource})
	if err != nil {
		return err
	}
	on, turned, x := list[0].Overbook, int64(0), Overbooking{}
	if on == nil {
		on = map[string]Overbooking{}
	}
	if to != nil {
		turned, x = 1, *to
		on[typ] = x
	} else if _, there := on[typ]; !there {
		return nil
	}
	if to == nil {
		delete(on, typ)
	}
	text := ""
	if len(on) > 0 {
		text = asJSON(on)
	}
	if _, err := tx.Exec("UPDATE resource SET overbook = $3 WHERE org = $1 AND id = $2", string(org), resource, text); err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO overbook_switch (org, resource, type, at, turned, share, price, by_person) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
		string(org), resource, typ, store.Micros(s.clock.Now()), turned, x.Share, x.Price, string(v.Person)); err != nil {
		return err
	}
	return s.people.Audit(tx, v, "", "change", fmt.Sprintf("overbooking of %s %s: %.0f %%", resource, typ, 100*x.Share))
}

const priceSelect = "SELECT id, resource, type, share, made_at, by_person, body FROM overbook_price"

func scanPrice(scan func(...any) error) (Price, error) {
	var p Price
	var made int64
	var body string
	if err := scan(&p.ID, &p.Resource, &p.Type, &p.Share, &made, &p.By, &body); err != nil {
		return p, err
	}
	p.Made = store.Time(made)
	rest := priced{World: &p.World}
	err := json.Unmarshal([]byte(body), &rest)
	p.Lines = rest.Lines
	return p, err
}

// Prices answers the simulated prices since an instant, the latest first.
func (s *Service) Prices(tx *store.Tx, org person.OrgID, since time.Time) ([]Price, error) {
	return store.All(tx, priceSelect+" WHERE org = $1 AND made_at >= $2 ORDER BY made_at DESC, id", []any{string(org), store.Micros(since)}, scanPrice)
}

// learn keeps the estimate of missed visits that is used until the next day.
func (s *Service) learn(tx *store.Tx, org person.OrgID) error {
	over, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND state IN ('fulfilled', 'noshow') ORDER BY start_at, id", []any{string(org)}, scanAppointment)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO noshow_model (org, made_at, body) VALUES ($1, $2, $3) ON CONFLICT (org) DO UPDATE SET made_at = excluded.made_at, body = excluded.body",
		string(org), store.Micros(s.clock.Now()), asJSON(noshow.Learn(pasts(over))))
	return err
}

// Chances answers the estimate of the last day; before the first it is the published curve.
func (s *Service) Chances(tx *store.Tx, org person.OrgID) (noshow.Model, error) {
	var m noshow.Model
	var body string
	ok, err := tx.Row("SELECT body FROM noshow_model WHERE org = $1", []any{string(org)}, &body)
	if err != nil || !ok {
		return m, err
	}
	return m, json.Unmarshal([]byte(body), &m)
}

// sitting is a visit of a clinician's day with its chance of being missed.
type sitting struct {
	Appointment
	lane   int64
	chance float64
}

// twin is the time of a visit beside which another may be booked.
func (a Appointment) twin(b Appointment) bool {
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Type == b.Type && a.Way == b.Way && a.Place == b.Place && slices.Equal(a.Resources, b.Resources)
}

// besides answers the visits of a clinician that begin in a span and beside which another of a type may be booked: as far as the share of the
// missed visits expected, day by day (policy.Overbook), only where the visit is of that type and not
// at the person's home, and never beside one who is there already.
func (s *Service) besides(tx *store.Tx, org person.OrgID, r Resource, typ string, from, to time.Time, zone *time.Location) ([]Appointment, error) {
	share := r.Overbook[typ].Share
	first, last := clock.DayOf(from, zone), clock.DayOf(to, zone)
	m, err := s.Chances(tx, org)
	if err != nil {
		return nil, err
	}
	lanes := map[ID]int64{}
	var list []Appointment
	whole := []any{string(org), r.ID, store.Micros(clock.At(first, 0, zone)), store.Micros(clock.At(last.Add(1), 0, zone))}
	if err := tx.Rows("SELECT appointment, lane FROM claim WHERE org = $1 AND resource = $2 AND until_at > $3 AND from_at < $4", whole, func(scan func(...any) error) error {
		var id ID
		var lane int64
		err := scan(&id, &lane)
		lanes[id] = lane
		return err
	}); err != nil || len(lanes) == 0 {
		return nil, err
	}
	list, err = store.All(tx, appointmentSelect+` WHERE org = $1 AND id IN (SELECT appointment FROM claim WHERE org = $1 AND resource = $2 AND until_at > $3 AND from_at < $4)
		ORDER BY start_at, id`, whole, scanAppointment)
	if err != nil {
		return nil, err
	}
	earlier, err := s.earlierOf(tx, org, list)
	if err != nil {
		return nil, err
	}
	days := map[clock.Day][]sitting{}
	for _, a := range list {
		x := sitting{Appointment: a, lane: lanes[a.ID]}
		if a.State == Booked {
			x.chance = chanceIn(m, a, earlier[a.Patient])
		}
		d := clock.DayOf(a.Start, zone)
		days[d] = append(days[d], x)
	}
	var out []Appointment
	for d := first; !last.Before(d); d = d.Add(1) {
		for _, a := range allowed(days[d], share) {
			if a.Type == typ && a.Way != Home && !a.Start.Before(from) && a.Start.Before(to) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// allowed answers beside which visits of one day another may be booked.
func allowed(day []sitting, share float64) []Appointment {
	var base []sitting
	var extras []int
	for _, x := range day {
		if x.lane == 0 {
			base, extras = append(base, x), append(extras, 0)
		}
	}
	chance := make([]float64, len(base))
	for i, x := range base {
		chance[i] = x.chance
	}
	for _, x := range day {
		if x.lane == 0 {
			continue
		}
		// Beside the visit of her time; where that is gone, beside the last before it.
		at := len(base) - 1
		for at > 0 && base[at].Start.After(x.Start) {
			at--
		}
		if at >= 0 {
			extras[at]++
		}
	}
	var out []Appointment
	for i, ok := range policy.Overbook(chance, extras, share) {
		if ok {
			out = append(out, base[i].Appointment)
		}
	}
	return out
}

// chanceIn is the chance that a visit is missed, by the model in use. The published curve does not know of confirmation: who has said that she
// comes is then expected to.
func chanceIn(m noshow.Model, a Appointment, earlier []Appointment) float64 {
	v := chanceOf(a, earlier)
	if v.Confirmed && !m.Own() {
		return 0
	}
	return m.Chance(v)
}

// earlierOf answers the visits that are over of those who have the visits of a list.
func (s *Service) earlierOf(tx *store.Tx, org person.OrgID, list []Appointment) (map[person.ID][]Appointment, error) {
	var who []string
	for _, a := range list {
		who = append(who, string(a.Patient))
	}
	over, err := store.All(tx, appointmentSelect+" WHERE org = $1 AND patient IN (SELECT value FROM "+tx.List("$2")+" ids) AND state IN ('fulfilled', 'noshow') ORDER BY start_at, id",
		[]any{string(org), asJSON(slices.Compact(slices.Sorted(slices.Values(who))))}, scanAppointment)
	out := map[person.ID][]Appointment{}
	for _, a := range over {
		out[a.Patient] = append(out[a.Patient], a)
	}
	return out, err
}

// laneFor answers in which lane an appointment's claims lie: 1 beside a visit of the very same time where that is allowed now, else 0. The
// resources are locked (touch), so that two bookings do not share one permission.
func (s *Service) laneFor(tx *store.Tx, a Appointment) (int64, error) {
	if a.shared == nil {
		return 0, nil
	}
	zone, err := s.clinicZone(tx, a.Org)
	if err != nil {
		return 0, err
	}
	list, err := s.besides(tx, a.Org, *a.shared, a.Type, a.Start, a.Start.Add(1), zone)
	if err != nil {
		return 0, err
	}
	for _, b := range list {
		if a.twin(b) && b.Patient != a.Patient {
			return 1, nil
		}
	}
	return 0, nil
}

// clinicZone is the zone in which a clinic's days are counted.
func (s *Service) clinicZone(tx *store.Tx, org person.OrgID) (*time.Location, error) {
	o, err := s.people.Org(tx, org)
	if err != nil {
		return nil, err
	}
	return clock.Zone(o.Zone)
}

// sharedOf answers the clinician among resources beside whose visits of a type others may be booked; nil: none.
func sharedOf(res []Resource, typ string) *Resource {
	for i, r := range res {
		if _, on := r.Overbook[typ]; on && r.Kind == Clinician {
			return &res[i]
		}
	}
	return nil
}

// Likely is a visit that may well be missed.
type Likely struct {
	Appointment
	Chance float64
}

// Remind answers the visits until an instant whose people have not said that they come, of the patients whom the viewer may see: who is most likely
// not to come first. It decides whom to call, and nothing else.
func (s *Service) Remind(tx *store.Tx, v person.Viewer, until time.Time) ([]Likely, error) {
	list, err := s.Between(tx, v, s.clock.Now(), until)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a Appointment) bool { return a.State != Booked || !a.Confirmed.IsZero() })
	m, err := s.Chances(tx, v.Org)
	if err != nil {
		return nil, err
	}
	earlier, err := s.earlierOf(tx, v.Org, list)
	if err != nil {
		return nil, err
	}
	out := make([]Likely, len(list))
	for i, a := range list {
		out[i] = Likely{a, chanceIn(m, a, earlier[a.Patient])}
	}
	slices.SortStableFunc(out, func(a, b Likely) int { return cmp.Compare(b.Chance, a.Chance) })
	return out, nil
}

// findBeside answers the times at which a visit may be booked beside another, where the clinic has switched that on.
func (s *Service) findBeside(tx *store.Tx, q Search, t Type, h *orgShelf, org person.Org, within slot.Span) ([]Option, error) {
	var out []Option
	for _, id := range slices.Sorted(maps.Keys(h.known)) {
		r := h.known[id]
		if _, on := r.Overbook[t.ID]; !on || !r.Active || q.Clinician != "" && r.ID != q.Clinician || q.Interpret != "" && !slices.Contains(r.Languages, q.Interpret) {
			continue
		}
		zone, err := clock.Zone(org.Zone)
		if err != nil {
			return nil, err
		}
		list, err := s.besides(tx, q.Org, r.Resource, t.ID, within.From, within.To, zone)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			if len(q.Ways) > 0 && !slices.Contains(q.Ways, a.Way) || q.Place != "" && a.Way == Clinic && a.Place != q.Place || a.Patient == q.Patient {
				continue
			}
			if o, held := t.Offer(a.Way); !held || o.Min != a.Minutes() {
				continue // the type was changed since: it could not be booked like this any more
			}
			out = append(out, Option{Type: t.ID, Way: a.Way, Place: a.Place, Start: a.Start, End: a.End, Zone: a.Zone, With: r.Name, Resources: a.Resources, Beside: true})
		}
	}
	return out, nil
}

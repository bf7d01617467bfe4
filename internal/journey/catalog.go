package journey

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Mode is what a way asks of the person, the lightest first.
type Mode string

const (
	ByMessage Mode = "message"
	ByPhone   Mode = "phone"
	ByVideo   Mode = "video"
	Kit       Mode = "kit"        // comes and goes by mail, or is done at home with what she has
	Delivery  Mode = "delivery"   // to the door
	HomeDraw  Mode = "home_draw"  // somebody comes and draws blood
	HomeVisit Mode = "home_visit" // somebody comes
	PickUp    Mode = "pickup"     // at a pharmacy or a shop
	Clinic    Mode = "clinic"     // at the clinic, a laboratory, a hospital
)

// Modes are all of them.
var Modes = []Mode{ByMessage, ByPhone, ByVideo, Kit, Delivery, HomeDraw, HomeVisit, PickUp, Clinic}

// Out reports whether she has to leave home for it.
func (m Mode) Out() bool { return m == PickUp || m == Clinic }

// Present reports whether she has to be there for it, at home.
func (m Mode) Present() bool {
	return m == ByPhone || m == ByVideo || m == HomeDraw || m == HomeVisit
}

// Way is one way to meet needs of a kind. It is data.
type Way struct {
	ID        string        `json:"id"`
	Mode      Mode          `json:"mode"`
	Can       []Requirement `json:"can,omitempty"`       // what it can give: a need that requires more cannot be met so
	Has       []string      `json:"has,omitempty"`       // equipment that she must have: video, phone, scale
	Covered   []string      `json:"covered,omitempty"`   // payers that cover it; empty: it needs no cover
	WithinKM  float64       `json:"within_km,omitempty"` // of the nearest place of ours; 0: anywhere
	Leave     Decider       `json:"leave,omitempty"`     // who has to allow it for a need; empty: nobody
	Visit     string        `json:"visit,omitempty"`     // it is booked as a visit of this type, in the visit's way of its mode; empty: nothing is booked
	Outlet    string        `json:"outlet,omitempty"`    // it is had from outlets of this kind, in their hours: pharmacy, shop, laboratory
	Minutes   int           `json:"minutes,omitempty"`   // instead of the need's
	Wait      int           `json:"wait,omitempty"`      // expected before it begins, in minutes
	Dollars   float64       `json:"dollars,omitempty"`   // that she pays
	LeadHours int           `json:"lead_hours,omitempty"`
	PerDay    int           `json:"per_day,omitempty"` // so many of it a day for all people together; 0: no limit
	Care      bool          `json:"care,omitempty"`    // care outside home: its day is a contact day
}

// Kind is a kind of need with its ways.
type Kind struct {
	ID       string            `json:"id"`
	Name     map[string]string `json:"name"`    // by language
	Minutes  int               `json:"minutes"` // that it takes
	Requires []Requirement     `json:"requires,omitempty"`
	Decides  Decider           `json:"decides"`
	Own      bool              `json:"own,omitempty"` // the person may add it herself
	Ways     []Way             `json:"ways"`
	Version  int               `json:"-"`
}

// Called answers the kind's name in a language.
func (k Kind) Called(lang string) string {
	if n := k.Name[lang]; n != "" {
		return n
	}
	return k.Name["en"]
}

// Way answers a way of the kind.
func (k Kind) Way(id string) (Way, bool) {
	i := slices.IndexFunc(k.Ways, func(w Way) bool { return w.ID == id })
	if i < 0 {
		return Way{}, false
	}
	return k.Ways[i], true
}

// Validate says what is wrong with a kind, naming the way.
func (k Kind) Validate() error {
	switch {
	case k.ID == "" || len(k.ID) > 40 || strings.ContainsAny(k.ID, " /?#\n"):
		return fault.Invalidf("A kind of need has an id without spaces.")
	case strings.TrimSpace(k.Name["en"]) == "":
		return fault.Invalidf("A kind of need needs an English name.")
	case k.Minutes < 1 || k.Minutes > 12*60:
		return fault.Invalidf("A need takes from 1 minute to 12 hours.")
	case !slices.Contains(Deciders, k.Decides):
		return fault.Invalidf("%q cannot decide (patient, clinician, desk).", k.Decides)
	case len(k.Ways) == 0:
		return fault.Invalidf("A kind of need needs at least one way.")
	}
	for i, w := range k.Ways {
		if err := w.validate(); err != nil {
			return fault.Invalidf("Way %d (%s): %s", i+1, w.ID, err)
		}
		if slices.ContainsFunc(k.Ways[:i], func(o Way) bool { return o.ID == w.ID }) {
			return fault.Invalidf("Way %d: its id %q is taken.", i+1, w.ID)
		}
	}
	return nil
}

func (w Way) validate() error {
	switch {
	case w.ID == "" || len(w.ID) > 40 || strings.ContainsAny(w.ID, " /?#\n"):
		return fault.Invalidf("it has an id without spaces")
	case !slices.Contains(Modes, w.Mode):
		return fault.Invalidf("%q is not a mode", w.Mode)
	case w.Minutes < 0 || w.Minutes > 12*60 || w.Wait < 0 || w.Wait > 12*60 || w.LeadHours < 0 || w.LeadHours > 24*60 || w.PerDay < 0:
		return fault.Invalidf("its minutes, wait, lead or number a day is negative or too large")
	case !(w.Dollars >= 0 && w.Dollars < 1e5) || !(w.WithinKM >= 0) || math.IsInf(w.WithinKM, 0):
		return fault.Invalidf("its price or its distance is negative")
	case w.Mode == PickUp && w.Outlet == "":
		return fault.Invalidf("a pick-up names the kind of outlet")
	case w.Mode == Clinic && w.Visit == "" && w.Outlet == "":
		return fault.Invalidf("care at a place names the type of visit or the kind of outlet")
	case w.Leave != "" && !slices.Contains(Deciders, w.Leave):
		return fault.Invalidf("%q cannot decide (patient, clinician, desk)", w.Leave)
	}
	for _, r := range w.Can {
		if !slices.Contains(Requirements, r) {
			return fault.Invalidf("%q is not a requirement", r)
		}
	}
	return nil
}

// Usual are the kinds that every organization begins with. Prices, leads and waits are to begin with and no figures of anybody's.
func Usual() []Kind {
	visit := func(m Mode, typ string) Way { return Way{ID: string(m), Mode: m, Visit: typ} }
	video, phone := visit(ByVideo, FollowUp), visit(ByPhone, FollowUp)
	video.Has, phone.Has = []string{"video"}, []string{"phone"}
	clinic := Way{ID: "clinic", Mode: Clinic, Visit: FollowUp, Can: []Requirement{Hands, Blood, Signature}, Wait: 15, Care: true}
	home := Way{ID: "home_visit", Mode: HomeVisit, Visit: HomeCare, Can: []Requirement{Hands, Blood, Signature}, Leave: ByClinician} // whether a nurse will do
	lab := Way{ID: "laboratory", Mode: Clinic, Outlet: "laboratory", Can: []Requirement{Blood, Hands}, Wait: 20, Care: true}
	draw := Way{ID: "home_draw", Mode: HomeDraw, Visit: HomeCare, Can: []Requirement{Blood, Hands}}
	kit := Way{ID: "kit", Mode: Kit, Minutes: 15, LeadHours: 72, Can: []Requirement{Blood}, Leave: ByClinician}
	name := func(en, es string) map[string]string { return map[string]string{"en": en, "es": es} }
	return []Kind{
		{ID: "talk", Name: name("A talk with your clinic", "Hablar con su clínica"), Minutes: 20, Decides: ByClinician, Own: true, Ways: []Way{
			{ID: "message", Mode: ByMessage, Minutes: 5, Leave: ByClinician}, phone, video, clinic}},
		{ID: "check", Name: name("A check-up", "Una revisión"), Minutes: 30, Requires: []Requirement{Hands}, Decides: ByClinician, Own: true, Ways: []Way{home, clinic}},
		{ID: "blood", Name: name("A blood test", "Un análisis de sangre"), Minutes: 15, Requires: []Requirement{Blood}, Decides: ByClinician, Ways: []Way{kit, draw, lab}},
		{ID: "sample", Name: name("A sample test", "Una muestra"), Minutes: 15, Decides: ByClinician, Ways: []Way{{ID: "kit", Mode: Kit, LeadHours: 72}, lab}},
		{ID: "imaging", Name: name("A scan", "Una imagen"), Minutes: 45, Requires: []Requirement{Imaging}, Decides: ByClinician, Ways: []Way{
			{ID: "scan", Mode: Clinic, Visit: Scan, Can: []Requirement{Imaging, Hands}, Wait: 15, Care: true}}},
		{ID: "refill", Name: name("Your medicines", "Sus medicinas"), Minutes: 10, Decides: ByPatient, Ways: []Way{
			{ID: "delivery", Mode: Delivery, Outlet: "pharmacy", LeadHours: 24, Can: []Requirement{Signature, ColdChain}},
			{ID: "pickup", Mode: PickUp, Outlet: "pharmacy", Wait: 10, LeadHours: 4, Can: []Requirement{Signature, ColdChain}}}},
		{ID: "groceries", Name: name("Groceries", "La compra"), Minutes: 40, Decides: ByPatient, Own: true, Ways: []Way{
			{ID: "delivery", Mode: Delivery, Outlet: "shop", LeadHours: 24, Dollars: 9.95, Can: []Requirement{ColdChain}},
			{ID: "shop", Mode: PickUp, Outlet: "shop", Can: []Requirement{ColdChain}}}},
		{ID: "equipment", Name: name("Something for your home", "Algo para su casa"), Minutes: 15, Decides: ByDesk, Ways: []Way{
			{ID: "mail", Mode: Kit, LeadHours: 24, Minutes: 15}, {ID: "clinic", Mode: Clinic, Visit: FollowUp, Can: []Requirement{Hands}, Care: true}}},
		{ID: "form", Name: name("Questions to answer", "Preguntas"), Minutes: 10, Decides: ByPatient, Ways: []Way{
			{ID: "message", Mode: ByMessage, Minutes: 10}, phone}},
		{ID: "errand", Name: name("An errand", "Un recado"), Minutes: 20, Decides: ByPatient, Own: true, Ways: []Way{{ID: "shop", Mode: PickUp, Outlet: "shop"}}},
	}
}

// Types of visits that the usual kinds are booked as, where the organization has them.
const (
	FollowUp = "follow-up"
	HomeCare = "home-care"
	Scan     = "scan"
)

// SaveKind makes a kind of need or a new version of one. Needs keep their ways; what is not promised yet is planned by the new version.
func (s *Service) SaveKind(tx *store.Tx, v person.Viewer, k Kind) (Kind, error) {
	if !v.Role.Staff() && v.Role != person.System {
		return k, fault.Deniedf("Only the clinic can change the ways in which things are done.")
	}
	if err := k.Validate(); err != nil {
		return k, err
	}
	if _, err := tx.Row("SELECT COALESCE(MAX(version), 0) FROM journey_kind WHERE org = $1 AND id = $2", []any{string(v.Org), k.ID}, &k.Version); err != nil {
		return k, err
	}
	k.Version++
	body, err := json.Marshal(k)
	if err != nil {
		return k, err
	}
	if _, err := tx.Exec("INSERT INTO journey_kind (org, id, version, body, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6)",
		string(v.Org), k.ID, k.Version, string(body), store.Micros(s.clock.Now()), string(v.Person)); err != nil {
		return k, err
	}
	if err := s.people.Audit(tx, v, "", "change", "ways of "+k.ID); err != nil {
		return k, err
	}
	_, err = tx.Exec("UPDATE journey_plan SET due_at = $2 WHERE org = $1", string(v.Org), store.Micros(s.clock.Now()))
	return k, err
}

// Kinds answers the newest version of every kind of need, in the order of the usual ones and then by id.
func (s *Service) Kinds(tx *store.Tx, org person.OrgID) ([]Kind, error) {
	list, err := store.All(tx, `SELECT k.version, k.body FROM journey_kind k WHERE k.org = $1 AND k.version = (SELECT MAX(l.version) FROM journey_kind l WHERE l.org = k.org AND l.id = k.id)
		ORDER BY k.id`, []any{string(org)}, func(scan func(...any) error) (Kind, error) {
		var k Kind
		var body string
		var version int
		if err := scan(&version, &body); err != nil {
			return k, err
		}
		err := json.Unmarshal([]byte(body), &k)
		k.Version = version
		return k, err
	})
	if err != nil {
		return nil, err
	}
	out := Usual()
	for _, k := range list {
		if i := slices.IndexFunc(out, func(o Kind) bool { return o.ID == k.ID }); i >= 0 {
			out[i] = k
		} else {
			out = append(out, k)
		}
	}
	return out, nil
}

// Why a way of a need was not chosen; catalog keys after "journey.why.".
const (
	WhyRequires  = "requires"  // it cannot give what the need requires
	WhyEquipment = "equipment" // she has not what it takes
	WhyCover     = "cover"     // her payer does not cover it
	WhyArea      = "area"      // she lives too far away
	WhyLeave     = "leave"     // whoever decides has not allowed it
	WhyNotHeld   = "notheld"   // the clinic does not hold it so: no such visit or outlet
	WhyClosed    = "closed"    // it is not to be had within the window
	WhyFull      = "full"      // its number a day is taken
	WhyHomeless  = "nohome"    // where she lives is not known
	WhyFit       = "fit"       // it does not fit beside the rest
	WhyLimits    = "limits"    // she cannot be there and back within her limits
	WhyOverdue   = "overdue"   // its time has passed
	WhyMore      = "more"      // it can be done so, but burdens more
)

// eligible answers why a need cannot be met in a way by what is known of the person, or "".
func (w Way) eligible(k Kind, n Need, c Self, nearest float64, homeKnown bool) string {
	for _, r := range append(slices.Clone(k.Requires), n.Requires...) {
		if !slices.Contains(w.Can, r) {
			return WhyRequires
		}
	}
	for _, h := range w.Has {
		if !slices.Contains(c.Has, h) {
			return WhyEquipment
		}
	}
	switch {
	case len(w.Covered) > 0 && !slices.Contains(w.Covered, c.Payer):
		return WhyCover
	case w.Leave != "" && !slices.Contains(n.Allowed, w.ID):
		return WhyLeave
	case w.WithinKM > 0 && !homeKnown:
		return WhyHomeless
	case w.WithinKM > 0 && nearest > w.WithinKM:
		return WhyArea
	}
	return ""
}

// lead answers when a way can be had at the soonest.
func (w Way) lead(now time.Time) time.Time { return now.Add(time.Duration(w.LeadHours) * time.Hour) }

package web

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/medication/sentence"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// medicines are what a person takes: each in plain words, how long it lasts, what is asked about the clock, days away.
type medicines struct {
	Moving   *moving
	Lines    []medicineLine
	Aways    []awayLine
	Shop     medication.Pharmacy
	Zones    []option
	Measures [][]string              // at the desk: measure, value, n
	Coach    string                  // at the desk: where doses are missed
	Odd      []medication.Unfollowed // at the desk: prescriptions that cannot be followed
}

// medicineLine is one medicine.
type medicineLine struct {
	ID     string
	Name   string
	How    string // how to take it, as a sentence
	Clock  string // by which clock, where it is not the wall's
	Stock  string
	Unit   string
	Refill string // what was promised
	Need   medication.Need
	Way    string // in which a refill comes
	Needed bool
	Next   string // as needed: from when one more is within the limits
	Own    bool   // entered here, not from the record
}

// moving is the question of a person in another zone.
type moving struct {
	medication.Moving
	Say   string
	Stays string
	Moves string
}

type awayLine struct {
	First, Last string // in words
	Why         string
	Key         string // the first day
}

// zoneNames are the zones that the form offers; a person's own is added.
var zoneNames = []string{"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu",
	"America/Puerto_Rico", "America/Mexico_City", "America/Bogota", "America/Lima", "America/Caracas", "America/Santo_Domingo", "America/Sao_Paulo", "America/Argentina/Buenos_Aires",
	"Europe/London", "Europe/Madrid", "Europe/Berlin", "Africa/Lagos", "Asia/Kolkata", "Asia/Manila", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney"}

// city answers a zone as people know it: "New York".
func city(zone string) string {
	return strings.ReplaceAll(zone[strings.LastIndexByte(zone, '/')+1:], "_", " ")
}

func (s *Server) medicineRoutes(mux *http.ServeMux) {
	mux.Handle("POST /desk/people/{patient}/medicines", s.desked(person.Act, "add a medicine", s.addMedicine))
	mux.Handle("POST /desk/people/{patient}/medicines/stop", s.desked(person.Act, "stop a medicine", s.stopMedicine))
	for path, x := range map[string]struct {
		what string
		h    handler
	}{
		"/me/zone": {"change the zone", s.saveZone}, "/me/travel": {"answer about travel", s.answerTravel}, "/me/took": {"note a dose", s.tookNeeded}, "/me/count": {"count a medicine", s.countMedicine},
		"/me/away": {"note days away", s.saveAway}, "/me/home": {"end days away", s.endAway}, "/me/way": {"choose a way", s.chooseWay}, "/me/pharmacy": {"change the pharmacy", s.savePharmacy},
	} {
		mux.Handle("POST "+path, s.own(person.Act, x.what, x.h))
		mux.Handle("POST /helping/{patient}"+path, s.helped(person.Act, x.what, x.h))
		mux.Handle("POST /desk/people/{patient}"+path, s.desked(person.Act, x.what, x.h))
	}
}

// addMedicine follows a medicine whose use is written as a sentence in the language of whoever writes it.
func (s *Server) addMedicine(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	dosage, err := sentence.Read(p.Lang, r.PostForm.Get("how"))
	if err == nil {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			_, err := s.Medication.Save(tx, medication.Regimen{Org: p.Org.ID, Patient: p.Patient.ID, Name: strings.TrimSpace(r.PostForm.Get("medicine")), Dosage: dosage,
				Authored: p.Patient.DayOf(p.Now), Critical: r.PostForm.Get("critical") != "", Policy: timing.Policy(r.PostForm.Get("policy"))})
			return err
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPersonLine(w, r, p, status) })
	}
	return back(w, r, p.Base, "added")
}

func (s *Server) stopMedicine(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		list, err := s.Medication.Regimens(tx, p.Org.ID, p.Patient.ID)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID == r.PostForm.Get("regimen") && x.Record == "" {
				return s.Medication.Stop(tx, p.Org.ID, p.Patient.ID, x.ID)
			}
		}
		return fault.NotFoundf("There is no such medicine in use.")
	}); err != nil {
		return err
	}
	return back(w, r, p.Base, "saved")
}

// medicines reads what a person takes.
func (s *Server) medicines(tx *store.Tx, p *page) (m medicines, err error) {
	regimens, err := s.Medication.Regimens(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return m, err
	}
	stocks, err := s.Medication.Stocks(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return m, err
	}
	needs, err := s.Medication.Needs(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return m, err
	}
	needed, err := s.Medication.Needed(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return m, err
	}
	for _, r := range regimens {
		if !r.Active {
			continue
		}
		l := medicineLine{ID: r.ID, Name: r.Name, How: p.howToTake(r), Own: r.Record == ""}
		if r.Policy == timing.Interval || r.Policy == timing.Home {
			l.Clock = p.T("medicines.clock."+string(r.Policy), "zone", city(cmp.Or(r.Zone, p.Patient.Zone)))
		}
		for _, x := range stocks {
			if x.Regimen.ID == r.ID {
				l.Stock, l.Unit = p.stock(x), x.Unit
			}
		}
		for _, n := range needs {
			if n.About == r.ID {
				l.Need, l.Refill = n, p.T("medicines.refill", "day", words.DayLong(p.Lang, n.By, p.Zone))
				if n.Way != "" {
					l.Way = p.T("medicines.way." + n.Way)
				}
			}
		}
		for _, n := range needed {
			if n.Regimen.ID == r.ID {
				l.Needed, l.Next = true, p.nextNeeded(n)
			}
		}
		m.Lines = append(m.Lines, l)
	}
	if x, ok, err := s.Medication.Moving(tx, p.Patient); err != nil {
		return m, err
	} else if ok {
		m.Moving = p.moving(x)
	}
	aways, err := s.Medication.Aways(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return m, err
	}
	today := p.Patient.DayOf(p.Now)
	for _, a := range aways {
		if a.Last.Before(today.Add(-60)) {
			continue
		}
		m.Aways = append(m.Aways, awayLine{First: p.dayName(a.First), Last: p.dayName(a.Last), Why: p.T(a.Why), Key: a.First.String()})
	}
	zones := slices.Clone(zoneNames)
	if !slices.Contains(zones, p.Patient.Zone) {
		zones = append(zones, p.Patient.Zone)
	}
	for _, z := range zones {
		m.Zones = append(m.Zones, option{z, city(z)})
	}
	m.Shop, err = s.Medication.PharmacyOf(tx, p.Org.ID, p.Patient.ID)
	return m, err
}

// howToTake answers a regimen in plain words; where there are none, in the prescriber's.
func (p *page) howToTake(r medication.Regimen) string {
	text, ok := sentence.Say(p.Lang, r.Dosage)
	if !ok {
		return r.Text
	}
	for _, d := range r.Dosage {
		for _, more := range append([]string{d.PatientInstruction}, additional(d.AdditionalInstruction)...) {
			if more = strings.TrimSpace(more); more != "" && !strings.Contains(text, more) {
				text += " " + strings.TrimSuffix(more, ".") + "."
			}
		}
	}
	return text
}

// stock says how much is left and how long it lasts.
func (p *page) stock(x medication.Stock) string {
	left := p.T("medicines.left", "amount", p.amountText(x.OnHand, x.Unit))
	switch {
	case x.RunOut.IsZero():
		return left
	case !x.Own:
		return left + " " + p.T("medicines.lasts", "day", p.dayName(x.RunOut))
	case x.Latest.IsZero() || x.Earliest == x.Latest:
		return left + " " + p.T("medicines.lasts.own", "day", p.dayName(x.RunOut), "n", strconv.Itoa(x.N))
	}
	return left + " " + p.T("medicines.lasts.range", "first", p.dayName(x.Earliest), "last", p.dayName(x.Latest), "n", strconv.Itoa(x.N))
}

// amountText writes an amount with its unit.
func (p *page) amountText(v float64, unit string) string {
	decimals := 0
	if v != math.Trunc(v) {
		decimals = 1
	}
	n := p.Num(v, decimals)
	if key := "unit." + strings.TrimSuffix(strings.ToLower(unit), "s"); words.Has(key + ".one") {
		if v == 1 {
			return p.T(key+".one", "n", n)
		}
		return p.T(key+".other", "n", n)
	}
	return strings.TrimSpace(n + " " + unit)
}

func (p *page) nextNeeded(n medication.Needed) string {
	switch {
	case n.Never:
		return p.T("medicines.ask", "phone", p.Phone())
	case n.Earliest.After(p.Now):
		return p.T("medicines.next", "time", p.When(n.Earliest))
	case n.Last.IsZero():
		return p.T("medicines.may")
	}
	return p.T("medicines.may.last", "time", p.When(n.Last))
}

func (p *page) moving(x medication.Moving) *moving {
	m := &moving{Moving: x, Say: p.Whose("travel.say", "here", city(x.To), "home", city(x.From)), Stays: p.T("travel.stay", "home", city(x.From)), Moves: p.T("travel.go", "here", city(x.To))}
	if !x.Next.IsZero() {
		m.Stays += " " + p.T("travel.next", "time", words.When(p.Lang, x.Next, p.Now, p.Patient.Location()))
	}
	if !x.Moved.IsZero() {
		m.Moves += " " + p.T("travel.next", "time", words.When(p.Lang, x.Moved, p.Now, p.Patient.Location()))
	}
	return m
}

// write does something for the patient's medicines, and says so.
func (s *Server) writeMedicines(w http.ResponseWriter, r *http.Request, p *page, done string, do func(tx *store.Tx) error) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if err := s.DB.Write(r.Context(), do); err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showMe(w, r, p, status) })
	}
	return back(w, r, p.Base+"/me", done)
}

func (s *Server) saveZone(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		if err := s.Medication.SetZone(tx, p.Org.ID, p.Patient.ID, r.PostForm.Get("zone")); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "zone")
	})
}

// word is what the viewer says for the patient.
func (p *page) word() medication.Word {
	w := medication.Word{Org: p.Org.ID, Patient: p.Patient.ID, By: p.Viewer.Person, Kind: "tap", Source: "page", At: p.Now}
	if p.Helping() {
		w.For, w.Kind = p.Patient.ID, "word"
	}
	return w
}

func (s *Server) answerTravel(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		m, ok, err := s.Medication.Moving(tx, p.Patient)
		if err != nil {
			return err
		}
		answer := r.PostForm.Get("clock")
		if !ok || answer != "move" && answer != "keep" {
			return fault.Conflictf("That question is closed.")
		}
		word := p.word()
		word.Promise = m.Promise
		return s.Medication.Zoned(tx, word, answer == "move")
	})
}

// tookNeeded notes a dose of a medicine that is taken as needed: now, or at a time of today.
func (s *Server) tookNeeded(w http.ResponseWriter, r *http.Request, p *page) error {
	done := "noted.dose"
	if err := r.ParseForm(); err != nil {
		return err
	}
	in := medication.Intake{Org: p.Org.ID, Patient: p.Patient.ID, Regimen: r.PostForm.Get("regimen"), By: p.Viewer.Person, Source: "page", At: p.Now}
	if p.Helping() {
		in.For = p.Patient.ID
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if text := strings.TrimSpace(r.PostForm.Get("time")); text != "" {
			at, err := p.earlier(text)
			if err != nil {
				return err
			}
			in.At = at
		}
		saved, err := s.Medication.Take(tx, in)
		if saved.Early {
			done = "early"
		}
		return err
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showMe(w, r, p, status) })
	}
	return back(w, r, p.Base+"/me", done)
}

// earlier reads a time of the patient's day that has passed.
func (p *page) earlier(text string) (time.Time, error) {
	wall, err := clock.ParseWall(text)
	if err != nil {
		return time.Time{}, fault.Invalidf("Please write each time like 08:00.")
	}
	at := clock.At(clock.DayOf(p.Now, p.Patient.Location()), wall, p.Patient.Location())
	if at.After(p.Now) {
		return at, fault.Invalidf("That time has not come yet.")
	}
	return at, nil
}

func (s *Server) countMedicine(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		n, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(r.PostForm.Get("left")), ",", "."), 64)
		if err != nil {
			return fault.Invalidf("Please give how much there is, 0 or more.")
		}
		return s.Medication.Count(tx, p.Org.ID, p.Patient.ID, r.PostForm.Get("regimen"), n, p.Viewer.Person)
	})
}

// awayReasons are why others see to the medicines.
var awayReasons = []string{"away.hospital", "away.other"}

func (s *Server) saveAway(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		a := medication.Away{Why: r.PostForm.Get("why"), By: p.Viewer.Person}
		var errFirst, errLast error
		a.First, errFirst = clock.ParseDay(r.PostForm.Get("first"))
		a.Last, errLast = clock.ParseDay(r.PostForm.Get("last"))
		if errFirst != nil || errLast != nil {
			return fault.Invalidf("Please give a first day and a last day that is not before it.")
		}
		if !slices.Contains(awayReasons, a.Why) {
			return fault.Invalidf("Please choose one of the answers.")
		}
		return s.Medication.SetAway(tx, p.Org.ID, p.Patient.ID, a)
	})
}

func (s *Server) endAway(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		first, err := clock.ParseDay(r.PostForm.Get("first"))
		if err != nil {
			return fault.NotFoundf("There are no such days away.")
		}
		return s.Medication.EndAway(tx, p.Org.ID, p.Patient.ID, first)
	})
}

func (s *Server) chooseWay(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		return s.Medication.Arrange(tx, p.Org.ID, p.Patient.ID, r.PostForm.Get("need"), r.PostForm.Get("way"))
	})
}

func (s *Server) savePharmacy(w http.ResponseWriter, r *http.Request, p *page) error {
	return s.writeMedicines(w, r, p, "saved", func(tx *store.Tx) error {
		shop := medication.Pharmacy{Name: strings.TrimSpace(r.PostForm.Get("shop")), Phone: strings.TrimSpace(r.PostForm.Get("shop_phone"))}
		var err error
		if shop.Lead, err = strconv.Atoi(strings.TrimSpace(r.PostForm.Get("lead"))); err != nil || len(shop.Name) > 100 || len(shop.Phone) > 40 {
			return fault.Invalidf("Please give the days it takes, 0 to 30.")
		}
		for _, text := range r.PostForm["closed"] {
			if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 7 {
				shop.Weekdays = append(shop.Weekdays, time.Weekday(n))
			}
		}
		for text := range strings.FieldsSeq(r.PostForm.Get("holidays")) {
			d, err := clock.ParseDay(strings.Trim(text, ","))
			if err != nil {
				return fault.Invalidf("Please write each closed day like 2026-12-25.")
			}
			shop.Days = append(shop.Days, d)
		}
		return s.Medication.SetPharmacy(tx, p.Org.ID, p.Patient.ID, shop)
	})
}

// holidays are a pharmacy's single closed days as the form shows them.
func holidays(shop medication.Pharmacy) string {
	var out []string
	for _, d := range shop.Days {
		out = append(out, d.String())
	}
	return strings.Join(out, " ")
}

// percent writes a share; a dash where it has no meaning.
func (p *page) percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return p.Num(100*v, 0) + " %"
}

// measured adds what the desk sees of how the doses went: each figure with its n, and where doses are missed.
func (s *Server) measured(tx *store.Tx, p *page, m *medicines) error {
	var err error
	if m.Odd, err = s.Medication.Unfollowed(tx, p.Org.ID, p.Patient.ID); err != nil {
		return err
	}
	last := p.Patient.DayOf(p.Now).Add(-1)
	x, err := s.Medication.Adherence(tx, p.Patient, last.Add(1-calendarDays), last)
	if err != nil || x.Doses == 0 {
		return err
	}
	doses, days := p.N("measure.doses", x.Doses), p.N("measure.days", x.Days)
	m.Measures = [][]string{
		{p.T("measure.taking"), p.percent(x.Taking), doses},
		{p.T("measure.correct"), p.percent(x.Correct), days},
		{p.T("measure.ontime"), p.percent(x.OnTime), doses},
		{p.T("measure.kept"), p.N("measure.days", x.Kept.Days), days},
		{p.T("measure.holidays"), strconv.Itoa(len(x.Holidays)), days},
		{p.T("measure.sure"), p.T("measure.sure.how", "said", strconv.Itoa(x.Said), "likely", strconv.Itoa(x.Likely), "seen", strconv.Itoa(x.Seen)), p.N("measure.doses", x.Said+x.Likely+x.Seen)},
	}
	for _, c := range x.Covered {
		m.Measures = append(m.Measures, []string{p.T("measure.covered", "name", c.Name), p.percent(c.PDC), p.N("measure.fills", c.Fills)})
	}
	if part, when, missed, due, ok := x.Pattern(); ok {
		m.Coach = p.T("coach.pattern", "what", p.pattern(part, when), "n", strconv.Itoa(missed), "all", strconv.Itoa(due))
	}
	return nil
}

// pattern names a part of the week: "evening doses on weekends".
func (p *page) pattern(part, when string) string {
	return p.T("pattern."+cmp.Or(part, "all")) + strings.TrimRight(" "+map[string]string{"weekend": p.T("pattern.weekend"), "weekday": p.T("pattern.weekday")}[when], " ")
}

// went says how the doses went, for the patient: what is known and how, how this week stands beside the last, where it is hard.
func (s *Server) went(tx *store.Tx, p *page) ([]string, error) {
	last := p.Patient.DayOf(p.Now).Add(-1)
	x, err := s.Medication.Adherence(tx, p.Patient, last.Add(1-calendarDays), last)
	if err != nil || x.Doses == 0 {
		return nil, err
	}
	right := 0
	for _, d := range x.DosingDays {
		if d.Scored() && d.Expected > 0 && d.Corrected() == d.Expected {
			right++
		}
	}
	out := []string{p.Whose("went.right", "n", strconv.Itoa(right), "all", strconv.Itoa(x.Days)),
		p.Whose("went.known", "said", strconv.Itoa(x.Said), "likely", strconv.Itoa(x.Likely), "seen", strconv.Itoa(x.Seen))}
	week, err := s.Medication.Adherence(tx, p.Patient, last.Add(-6), last)
	if err != nil {
		return nil, err
	}
	before, err := s.Medication.Adherence(tx, p.Patient, last.Add(-13), last.Add(-7))
	if err != nil {
		return nil, err
	}
	done := func(m medication.Measures) string { return strconv.Itoa(m.Said + m.Likely + m.Seen) }
	if week.Doses > 0 && before.Doses > 0 {
		out = append(out, p.T("went.week", "n", done(week), "all", strconv.Itoa(week.Doses), "before", done(before), "of", strconv.Itoa(before.Doses)))
	}
	if part, when, _, _, ok := x.Pattern(); ok {
		out = append(out, p.T("went.hard", "what", p.pattern(part, when)))
	}
	return out, nil
}

// additional answers the further instructions of a dosage in words.
func additional(list []fhir.CodeableConcept) (out []string) {
	for i := range list {
		out = append(out, list[i].Words())
	}
	return out
}

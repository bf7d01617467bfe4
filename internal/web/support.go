package web

import (
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// supportPage says what we do when nobody has heard of a dose, what the patient does when nobody comes, and how the week went. Staff
// change the plan on it.
type supportPage struct {
	*page
	At           string // of the dose that is taken as the example
	Usual        []string
	Critical     []string // nobody takes a critical medicine: empty
	Own          []ownSteps
	Instructions string
	Compared     bool // chance has set the plan
	Week         []string
	Letter       medication.Letter
	History      []string
	Forms        []stepForm // at the desk
	Meds         []option
}

// ownSteps are those of one medicine.
type ownSteps struct {
	ID, Name string
	Say      []string
}

// stepForm asks for steps.
type stepForm struct {
	Prefix, Legend string
	Rows           []stepRow
}

// stepRow is one step as it is typed.
type stepRow struct{ Do, After, By string }

// stepRows is how many steps a form asks for.
const stepRows = 5

func (s *Server) supportRoutes(mux *http.ServeMux) {
	mux.Handle("GET /me/plan", s.own(person.See, "plan", s.supportView))
	mux.Handle("GET /helping/{patient}/me/plan", s.helped(person.See, "plan", s.supportView))
	mux.Handle("GET /desk/people/{patient}/plan", s.desked(person.See, "plan", s.supportView))
	mux.Handle("POST /desk/people/{patient}/plan", s.desked(person.Act, "change the plan", s.saveSupport))
	mux.Handle("POST /me/letter", s.own(person.See, "choose the week in words", s.saveLetter))
	mux.Handle("POST /helping/{patient}/me/letter", s.helped(person.See, "choose the week in words", s.saveLetter))
	mux.Handle("POST /desk/people/{patient}/letter", s.desked(person.Act, "choose the week in words", s.saveLetter))
}

func (s *Server) supportView(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showSupport(w, r, p, http.StatusOK)
}

// planPath is where a patient's plan stands: for staff, and for the patient and helpers.
func (p *page) planPath() string {
	if p.Viewer.Role.Staff() {
		return p.Base + "/plan"
	}
	return p.Base + "/me/plan"
}

// letterPath is where the week in words is chosen.
func (p *page) letterPath() string { return strings.TrimSuffix(p.planPath(), "/plan") + "/letter" }

func (s *Server) showSupport(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "support.title"
	if p.Active == "" {
		p.Active = "nav.me"
		if p.Helping() {
			p.Active = "nav.them"
		}
	}
	m := supportPage{page: p}
	if err := s.DB.Read(r.Context(), func(tx *store.Tx) error { return s.loadSupport(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, supportTemplate(m))
}

func (s *Server) loadSupport(tx *store.Tx, m *supportPage) error {
	p := m.page
	sup, err := s.Medication.SupportOf(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return err
	}
	usual, critical, err := s.Medication.Ladders(tx, sup)
	if err != nil {
		return err
	}
	regimens, err := s.Medication.Regimens(tx, p.Org.ID, p.Patient.ID)
	if err != nil {
		return err
	}
	say, err := s.stepWords(tx, p)
	if err != nil {
		return err
	}
	m.At = p.Time(say.due)
	m.Usual = say.all(usual)
	m.Instructions, m.Compared = sup.Instructions, sup.Comparison != ""
	for _, x := range regimens {
		if !x.Active || x.AsNeeded {
			continue
		}
		m.Meds = append(m.Meds, option{x.ID, x.Name})
		if x.Critical {
			m.Critical = say.all(critical)
		}
		if own := sup.Own[x.ID]; len(own) > 0 {
			m.Own = append(m.Own, ownSteps{x.ID, x.Name, say.all(own)})
		}
	}
	if m.Week, err = s.went(tx, p); err != nil {
		return err
	}
	if m.Letter, _, err = s.Medication.LetterOf(tx, p.Org.ID, p.Patient.ID, p.letterReader()); err != nil || !p.Viewer.Role.Staff() {
		return err
	}
	m.Critical = say.all(critical)
	m.Forms = []stepForm{{"usual", p.T("support.usual"), rowsOf(p, "usual", usual)}, {"critical", p.T("support.critical"), rowsOf(p, "critical", critical)}}
	history, err := s.Medication.SupportHistory(tx, p.Org.ID, p.Patient.ID, 10)
	if err != nil {
		return err
	}
	names := s.names(tx, p)
	for _, x := range history {
		who, err := names.of(x.By)
		if err != nil {
			return err
		}
		key := "support.version"
		if x.Comparison != "" {
			key = "support.version.chance"
		}
		m.History = append(m.History, p.T(key, "n", strconv.Itoa(x.Version), "time", p.When(x.Made), "who", who))
	}
	return nil
}

// letterReader answers whose week in words the page is about: the patient's at the desk, else the reader's own.
func (p *page) letterReader() person.ID {
	if p.Viewer.Role.Staff() {
		return p.Patient.ID
	}
	return p.Viewer.Person
}

// stepWords puts steps into words, with the next dose as the example.
type stepWords struct {
	p    *page
	due  time.Time
	told string // who is told of the family
}

func (s *Server) stepWords(tx *store.Tx, p *page) (stepWords, error) {
	w := stepWords{p: p, due: clock.At(clock.DayOf(p.Now, p.Zone), p.Patient.Routine.Breakfast, p.Zone)}
	open, err := s.Promise.OpenOf(tx, p.Org.ID, p.Patient.ID, medication.Kind)
	if err != nil {
		return w, err
	}
	for _, x := range open {
		if x.From.After(p.Now) {
			w.due = x.From
			break
		}
	}
	family, err := s.Person.Caregivers(tx, p.Org.ID, p.Patient.ID, person.See)
	var list []string
	for _, x := range family {
		if x.ID == p.Viewer.Person {
			list = append(list, p.T("who.you"))
		} else {
			list = append(list, x.Called)
		}
	}
	w.told = strings.Join(list, ", ")
	return w, err
}

func (w stepWords) all(steps []medication.Step) (out []string) {
	for i, x := range steps {
		key, who := "support."+string(x.Do), w.told
		switch {
		case x.Do == medication.Family && who == "":
			key += ".nobody"
		case x.Do == medication.Remind && len(x.Channels) > 0:
			key += "." + string(x.Channels[0])
		}
		if i > 0 && x.After > 0 {
			key += ".if"
		}
		out = append(out, w.p.Whose(key, "time", w.p.Time(w.due.Add(time.Duration(x.After)*time.Minute)), "who", who))
	}
	return out
}

// rowsOf answers steps as a form's rows: what was typed, after a refusal.
func rowsOf(p *page, prefix string, steps []medication.Step) []stepRow {
	out := make([]stepRow, stepRows)
	for i := range out {
		r := stepRow{}
		if i < len(steps) {
			r.Do, r.After = string(steps[i].Do), strconv.Itoa(steps[i].After)
			if len(steps[i].Channels) > 0 {
				r.By = string(steps[i].Channels[0])
			}
		}
		n := strconv.Itoa(i)
		out[i] = stepRow{p.Typed(prefix+"_do_"+n, r.Do), p.Typed(prefix+"_after_"+n, r.After), p.Typed(prefix+"_by_"+n, r.By)}
	}
	return out
}

// readSteps reads a form's rows; a row without a choice is no step. The person's own order of channels comes after the one chosen.
func readSteps(form url.Values, prefix string) (out []medication.Step, err error) {
	for i := range stepRows {
		n := strconv.Itoa(i)
		do := form.Get(prefix + "_do_" + n)
		if do == "" {
			continue
		}
		after, err := strconv.Atoi(strings.TrimSpace(form.Get(prefix + "_after_" + n)))
		if err != nil {
			return nil, fault.Invalidf("Please write the minutes as a number.")
		}
		x := medication.Step{Do: medication.Help(do), After: after}
		if by := person.Channel(form.Get(prefix + "_by_" + n)); by != "" && x.Do == medication.Remind {
			x.Channels = []person.Channel{by}
			for _, c := range []person.Channel{person.Push, person.SMS, person.Mail} { // where that one fails
				if c != by {
					x.Channels = append(x.Channels, c)
				}
			}
		}
		out = append(out, x)
	}
	return out, nil
}

// saveSupport makes a new version of the plan: its steps, one medicine's own, or the end of those.
func (s *Server) saveSupport(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		sup, err := s.Medication.SupportOf(tx, p.Org.ID, p.Patient.ID)
		if err != nil {
			return err
		}
		if err := changeSupport(&sup, r.PostForm); err != nil {
			return err
		}
		if _, err := s.Medication.SetSupport(tx, p.Viewer, sup); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "plan")
	})
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showSupport(w, r, p, status) })
	}
	return back(w, r, p.planPath(), "saved")
}

func changeSupport(sup *medication.Support, form url.Values) error {
	own := map[string][]medication.Step{}
	for id, steps := range sup.Own {
		own[id] = steps
	}
	before := *sup
	sup.Own = own
	if id := form.Get("medicine"); id != "" {
		sup.Comparison = "" // whoever changes steps by hand takes the plan out of chance's hands
		steps, err := readSteps(form, "own")
		if own[id] = steps; len(steps) == 0 {
			delete(own, id)
		}
		return err
	}
	var err error
	if sup.Usual, err = readSteps(form, "usual"); err != nil {
		return err
	}
	if sup.Critical, err = readSteps(form, "critical"); err != nil {
		return err
	}
	if len(sup.Usual) == 0 || len(sup.Critical) == 0 {
		return fault.Invalidf("Please choose at least one step in each list.")
	}
	if !reflect.DeepEqual(sup.Usual, before.Usual) || !reflect.DeepEqual(sup.Critical, before.Critical) {
		sup.Comparison = ""
	}
	sup.Instructions = form.Get("instructions")
	return nil
}

// saveLetter says when somebody gets the week in words.
func (s *Server) saveLetter(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	wall, err := clock.ParseWall(r.PostForm.Get("wall"))
	day, err2 := strconv.Atoi(r.PostForm.Get("weekday"))
	if err != nil || err2 != nil {
		err = fault.Invalidf("Please choose a day and a time.")
	} else {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			_, err := s.Medication.SetLetter(tx, p.Viewer, medication.Letter{Org: p.Org.ID, Patient: p.Patient.ID, Person: p.letterReader(), On: r.PostForm.Get("on") != "",
				Weekday: time.Weekday(day), Wall: wall})
			return err
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showSupport(w, r, p, status) })
	}
	return back(w, r, p.planPath(), "saved")
}

// weekdays are the days of a week to choose from, from the one on which calendars begin.
func (p *page) weekdays() []option {
	var out []option
	for i := range 7 {
		d := time.Weekday(i)
		out = append(out, option{strconv.Itoa(i), words.Weekday(p.Lang, d)})
	}
	return out
}

// helps are what a step may do.
func (p *page) helps() []option {
	out := []option{{"", p.T("step.none")}}
	for _, h := range medication.Helps {
		out = append(out, option{string(h), p.T("step." + string(h))})
	}
	return out
}

// reminders are the channels to choose from.
func (p *page) reminders() []option {
	return []option{{"", p.T("step.by.own")}, {string(person.SMS), p.T("channel.sms")}, {string(person.Push), p.T("channel.push")}, {string(person.Mail), p.T("channel.mail")}}
}

// ownPlan tells whether a promise is a call that the patient may have to do without: the link to it then names her own plan.
func ownPlan(x promise.Promise) bool { return x.Kind == "call" && x.State == promise.Open }

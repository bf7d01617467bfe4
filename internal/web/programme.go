package web

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/store"
)

// programmePage is the worklist of remote monitoring: what each patient's month has come to.
type programmePage struct {
	*page
	Day, Before, After clock.Day // After is zero where it lies in the future
	List               []programme.Facts
}

func (s *Server) programmeRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/programme", s.staff(s.programme))
	mux.Handle("GET /desk/programme.csv", s.staff(s.programmeFile))
	mux.Handle("POST /desk/people/{patient}/minutes", s.desked(person.Act, "log minutes", s.logMinutes))
	mux.Handle("POST /desk/people/{patient}/call", s.desked(person.Act, "call", s.startCall))
	mux.Handle("POST /desk/people/{patient}/call/{call}/end", s.desked(person.Act, "call", s.endCall))
	mux.Handle("POST /desk/people/{patient}/call/{call}", s.desked(person.Act, "call", s.correctCall))
}

// programmeDay reads which day is asked for: today, or the last day of an earlier month.
func (s *Server) programmeDay(r *http.Request, p *page) (day, today clock.Day, err error) {
	today = clock.DayOf(p.Now, p.Zone)
	text := r.URL.Query().Get("day")
	if text == "" {
		return today, today, nil
	}
	if day, err = clock.ParseDay(text); err != nil || today.Before(day) {
		return day, today, fault.Invalidf("Please choose a day that has been.")
	}
	return day, today, nil
}

func (s *Server) programme(w http.ResponseWriter, r *http.Request, p *page) error {
	day, today, err := s.programmeDay(r, p)
	if err != nil {
		return err
	}
	p.Title, p.Active = "programme.title", "nav.people"
	m := programmePage{page: p, Day: day}
	first := clock.Day{Year: day.Year, Month: day.Month, Date: 1}
	m.Before = first.Add(-1)
	if next := first.AddMonths(2).Add(-1); next.Before(today) {
		m.After = next
	} else if first.AddMonths(1).Add(-1).Before(today) {
		m.After = today
	}
	if m.List, err = s.Programme.List(r.Context(), s.DB, p.Viewer, day); err != nil {
		return err
	}
	if err := s.auditList(r, p, day); err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, p, programmeView(m))
}

// auditList writes down that somebody looked at the facts of a whole team.
func (s *Server) auditList(r *http.Request, p *page, day clock.Day) error {
	return s.DB.Write(r.Context(), func(tx *store.Tx) error { return s.Person.Audit(tx, p.Viewer, "", "see", "programme "+day.String()) })
}

// programmeFile is the list as a file for those who bill.
func (s *Server) programmeFile(w http.ResponseWriter, r *http.Request, p *page) error {
	day, _, err := s.programmeDay(r, p)
	if err != nil {
		return err
	}
	list, err := s.Programme.List(r.Context(), s.DB, p.Viewer, day)
	if err != nil {
		return err
	}
	if err := s.auditList(r, p, day); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="programme-`+day.String()+`.csv"`)
	out := csv.NewWriter(w)
	out.Write([]string{"patient", "name", "day", "period_from", "days", "minutes", "live", "codes"})
	for _, f := range list {
		from := ""
		if !f.From.IsZero() {
			from = f.From.String()
		}
		out.Write([]string{string(f.Patient), inert(f.Name), day.String(), from, strconv.Itoa(f.Days), strconv.Itoa(f.Minutes), strconv.FormatBool(f.Live), strings.Join(f.Codes(), " ")})
	}
	out.Flush()
	return out.Error()
}

// inert keeps a spreadsheet from taking a name for a formula.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// logMinutes writes down work for a patient.
func (s *Server) logMinutes(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	n, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("minutes")))
	if err != nil {
		err = fault.Invalidf("Please write the minutes as a number.")
	} else {
		err = s.DB.Write(r.Context(), func(tx *store.Tx) error {
			_, err := s.Programme.Log(tx, p.Viewer, programme.Minutes{Patient: p.Patient.ID, Minutes: n, Live: r.PostForm.Get("live") != "", Note: r.PostForm.Get("note")})
			return err
		})
	}
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showPersonLine(w, r, p, status) })
	}
	return back(w, r, p.Base, "minutes")
}

// next says what is still missing for a patient's next code, in words; empty when nothing more is to come.
func (m programmePage) next(f programme.Facts) string {
	var say []string
	switch {
	case f.Days < 2:
		say = append(say, m.N("programme.days", 2-f.Days))
	case f.Days < 16:
		say = append(say, m.N("programme.days", 16-f.Days))
	}
	if f.Minutes > 0 && !f.Live {
		say = append(say, m.T("programme.speak"))
	}
	for _, goal := range []int{10, 20} {
		if f.Minutes < goal {
			say = append(say, m.N("programme.minutes", goal-f.Minutes))
			break
		}
	}
	return strings.Join(slices.DeleteFunc(say, func(x string) bool { return x == "" }), "; ")
}

// calendar answers a day as people write it.
func (p *page) calendar(d clock.Day) string { return p.Day(clock.At(d, clock.WallAt(12, 0), p.Zone)) }

func (p *page) yes(is bool) string {
	if is {
		return p.T("programme.yes")
	}
	return p.T("programme.no")
}

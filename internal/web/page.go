package web

import (
	"net/url"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/words"
)

// page is what every template needs to know: who looks, at whose chart, in which language and zone, and what was typed.
type page struct {
	Lang    string
	Zone    *time.Location // of the times on the page
	Away    bool           // the zone is not the viewer's own, so it is printed
	Now     time.Time
	Org     person.Org
	Viewer  person.Viewer
	Self    person.Person // the viewer
	Patient person.Person // whose chart; zero: nobody's
	Base    string        // "" on one's own pages, "/helping/{id}" on another's, "/desk/people/{id}" at the desk
	Rights  []person.Right
	Title   string // catalog key
	Active  string // which part of the navigation this is
	Live    string // where hints for this page come from; empty: it does not change
	Wide    bool
	Form    url.Values // what was typed, after a refusal
	Problem string     // what is wrong with it
	Done    string     // what has just been done
	Path    string
}

// T answers a text; args are names and values in turn.
func (p *page) T(key string, args ...string) string { return words.Say(p.Lang, key, pairs(args)) }

// N answers a text that counts.
func (p *page) N(key string, n int, args ...string) string {
	return words.Count(p.Lang, key, n, pairs(args))
}

func pairs(args []string) map[string]string {
	m := make(map[string]string, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	return m
}

// Time answers a time of day, with the zone where it is not the viewer's own.
func (p *page) Time(t time.Time) string {
	if p.Away {
		return words.TimeZoned(p.Lang, t, p.Zone)
	}
	return words.Time(p.Lang, t, p.Zone)
}

// When answers an instant as seen from now.
func (p *page) When(t time.Time) string {
	s := words.When(p.Lang, t, p.Now, p.Zone)
	if p.Away {
		s += " " + words.Zone(t, p.Zone)
	}
	return s
}

// Day answers a date.
func (p *page) Day(t time.Time) string { return words.Day(p.Lang, t, p.Zone) }

// Ago answers how long ago an instant was.
func (p *page) Ago(t time.Time) string { return words.Span(p.Lang, p.Now.Sub(t)) }

// Num answers a number.
func (p *page) Num(v float64, decimals int) string { return words.Number(p.Lang, v, decimals) }

// Tell answers a stored sentence.
func (p *page) Tell(key string, args map[string]string) string {
	if !p.Helping() || !words.Has(key+".of") {
		return words.Tell(p.Lang, key, args, p.Zone)
	}
	of := map[string]string{"called": p.Patient.Called}
	for name, v := range args {
		of[name] = v
	}
	return words.Tell(p.Lang, key+".of", of, p.Zone)
}

// Phone answers the clinic's telephone as people write it.
func (p *page) Phone() string { return words.Phone(p.Org.Phone) }

// Typed answers what was typed in a field, else what stands there already.
func (p *page) Typed(field, already string) string {
	if v, ok := p.Form[field]; ok && len(v) > 0 {
		return v[0]
	}
	return already
}

// Picked reports whether an option was chosen, or stands there already.
func (p *page) Picked(field, option, already string) bool { return p.Typed(field, already) == option }

// Helping reports whether this is another person's chart.
func (p *page) Helping() bool { return p.Patient.ID != "" && p.Patient.ID != p.Viewer.Person }

// Whose picks between the words for one's own page and those for another's: "today.title" or "today.title.of", where {called}
// is the patient.
func (p *page) Whose(key string, args ...string) string {
	if !p.Helping() {
		return p.T(key, args...)
	}
	return p.T(key+".of", append(args, "called", p.Patient.Called)...)
}

// May reports whether the viewer has a right on this chart. It only decides what is offered: a write is checked again.
func (p *page) May(right person.Right) bool {
	for _, r := range p.Rights {
		if r == right {
			return true
		}
	}
	return false
}

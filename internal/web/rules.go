package web

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// rulesPage is what alerts the nurse of a patient's readings, and what else could.
type rulesPage struct {
	*page
	On      []ruleLine
	Presets []option
	Tried   *triedPreset // a set that was tried on the past, to be switched on or not
}

type ruleLine struct {
	ID       string
	Say      string
	Severity string
	Since    string
	Past     string
}

type triedPreset struct {
	Name, Title, Source, Past string
	Rules                     []ruleLine
}

func (s *Server) ruleRoutes(mux *http.ServeMux) {
	mux.Handle("GET /desk/people/{patient}/rules", s.desked(person.See, "rules", s.rules))
	mux.Handle("POST /desk/people/{patient}/rules", s.desked(person.Act, "switch rules on", s.addRules))
	mux.Handle("POST /desk/people/{patient}/rules/end", s.desked(person.Act, "switch a rule off", s.endRule))
}

// rules shows what is on, and tries the set that was picked.
func (s *Server) rules(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showRules(w, r, p, http.StatusOK)
}

func (s *Server) showRules(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title = "rules.title"
	m := rulesPage{page: p}
	all, err := s.Reading.Rules(r.Context(), string(p.Org.ID), string(p.Patient.ID))
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Until.IsZero() {
			line := p.ruleLine(x.Rule)
			line.ID, line.Since, line.Past = x.ID, p.T("rules.since", "day", p.Day(x.From)), p.trial(x.Tested)
			m.On = append(m.On, line)
		}
	}
	for _, x := range rule.Presets() {
		m.Presets = append(m.Presets, option{x.Name, p.T("rules.set." + x.Name)})
	}
	if preset, ok := rule.Named(r.FormValue("preset")); ok {
		tried := &triedPreset{Name: preset.Name, Title: p.T("rules.set." + preset.Name), Source: preset.Source}
		for _, x := range preset.Rules {
			tried.Rules = append(tried.Rules, p.ruleLine(x))
		}
		err := s.DB.Read(r.Context(), func(tx *store.Tx) error {
			trial, err := s.Reading.Try(tx, string(p.Org.ID), string(p.Patient.ID), preset.Rules)
			tried.Past = p.trial(&trial)
			return err
		})
		if err != nil {
			return err
		}
		m.Tried = tried
	}
	return s.show(w, r, status, p, rulesView(m))
}

// addRules switches a set on.
func (s *Server) addRules(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	preset, ok := rule.Named(r.PostForm.Get("preset"))
	if !ok {
		err := fault.Invalidf("Please choose one of the sets.")
		return s.again(w, r, p, err, func(status int) error { return s.showRules(w, r, p, status) })
	}
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if _, err := s.Reading.Adopt(tx, string(p.Org.ID), string(p.Patient.ID), preset.Name, preset.Rules); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "rules "+preset.Name)
	})
	if err != nil {
		return err
	}
	return back(w, r, p.Base+"/rules", "rules.on")
}

// endRule switches one rule off.
func (s *Server) endRule(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	id := r.PostForm.Get("rule")
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		if err := s.Reading.EndRule(tx, string(p.Org.ID), string(p.Patient.ID), id); err != nil {
			return err
		}
		return s.Person.Audit(tx, p.Viewer, p.Patient.ID, "change", "rule "+id)
	})
	if err != nil {
		return err
	}
	return back(w, r, p.Base+"/rules", "rules.off")
}

// trial says what rules would have done on the person's past.
func (p *page) trial(t *reading.Trial) string {
	if t == nil || t.Readings == 0 {
		return p.T("rules.past.none")
	}
	return p.T("rules.past", "days", p.Num(t.Days, 0), "alerts", p.Num(float64(t.Alerts), 0), "rate", p.Num(t.PerMonth, 1))
}

// ruleLine puts a rule into words.
func (p *page) ruleLine(r rule.Rule) ruleLine {
	var say string
	if r.Missing > 0 {
		say = p.T("rule.missing", "what", p.signal(r.Series), "time", words.Span(p.Lang, r.Missing))
	}
	if limits := p.limits(r.Series, r.Above, r.Below); limits != "" {
		if r.Hold > 0 {
			limits = p.T("rule.hold", "rule", limits, "time", words.Span(p.Lang, r.Hold))
		}
		if r.Parts != nil {
			limits = p.T("rule.parts", "rule", limits, "time", words.Span(p.Lang, r.Parts.Within))
		}
		var signs []string
		for _, w := range r.With {
			signs = append(signs, p.limits(w.Series, w.Above, w.Below))
		}
		if len(signs) > 0 {
			key := "rule.with"
			if r.Least > 0 && r.Least < len(signs) {
				key = "rule.with.some"
			}
			limits = p.T(key, "rule", limits, "signs", strings.Join(signs, "; "))
		}
		say = p.either(say, limits)
	}
	first, size := utf8.DecodeRuneInString(say)
	return ruleLine{Say: string(unicode.ToUpper(first)) + say[size:], Severity: p.T("rule.severity." + r.Severity)}
}

func (p *page) either(one, other string) string {
	if one == "" || other == "" {
		return one + other
	}
	return p.T("rule.either", "one", one, "other", other)
}

func (p *page) limits(series string, above, below rule.Limit) string {
	return p.either(p.limit(series, above, "above"), p.limit(series, below, "below"))
}

func (p *page) limit(series string, l rule.Limit, side string) string {
	key := string(l.Kind)
	switch l.Kind {
	case rule.None:
		return ""
	case rule.EWMA, rule.CUSUM:
		key = "drift"
	}
	if series == rule.Symptoms {
		return p.signal(series) // told of or not: the number says nothing more
	}
	return p.T("rule."+key+"."+side, "what", p.signal(series), "value", p.amount(series, l.Value), "time", words.Span(p.Lang, l.Over))
}

// amount writes a value of a signal with its unit.
func (p *page) amount(series string, v float64) string {
	decimals, unit := 0, ""
	switch series {
	case "29463-7":
		decimals, unit = 1, " kg"
	case "59408-5", "2708-6":
		unit = " %"
	case "2339-0":
		unit = " mg/dL"
	case "15074-8":
		decimals, unit = 1, " mmol/L"
	case "8480-6", "8462-4":
		unit = " mmHg"
	}
	return p.Num(v, decimals) + unit
}

func (p *page) signal(series string) string {
	if key := "signal." + series; words.Has(key) {
		return p.T(key)
	}
	return p.T("signal.other", "code", series)
}

package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// limit is one side of what is allowed of a signal.
type limit struct {
	Kind  string  `json:"kind" enum:"absolute,personal,change,ewma,cusum" doc:"absolute: in the unit; personal: robust deviations from the person's median; change: in the unit, over a time; ewma, cusum: control charts of the standardised values."`
	Value float64 `json:"value"`
	Over  string  `json:"over,omitempty" doc:"Of a change, like 72h." example:"72h"`
}

// sign is another signal that must agree.
type sign struct {
	Series string `json:"series" minLength:"1" maxLength:"64"`
	Above  *limit `json:"above,omitempty"`
	Below  *limit `json:"below,omitempty"`
	Within string `json:"within" doc:"How old its newest value may be, like 48h."`
}

// ruled is a rule as programs write and read it. Durations are texts like 90m or 72h.
type ruled struct {
	Series     string      `json:"series" minLength:"1" maxLength:"64" doc:"LOINC"`
	Above      *limit      `json:"above,omitempty"`
	Below      *limit      `json:"below,omitempty"`
	Hold       string      `json:"hold,omitempty" doc:"It must stay so for this long before it counts."`
	Hysteresis float64     `json:"hysteresis,omitempty" doc:"How far back inside ends an episode."`
	Repeat     string      `json:"repeat,omitempty" doc:"An episode that goes on is told of again after so long; once when left out."`
	With       []sign      `json:"with,omitempty" doc:"Signals that must agree."`
	Least      int         `json:"least,omitempty" doc:"How many of them; all when left out."`
	Missing    string      `json:"missing,omitempty" doc:"Trouble when no reading came for this long."`
	Severity   string      `json:"severity" enum:"note,warning,urgent,severe" doc:"Severe ones are never held back."`
	Parts      *scoreParts `json:"parts,omitempty" doc:"Of the series news2 alone, which is worked out from the newest values of its parts."`
}

// scoreParts says how a score is worked out.
type scoreParts struct {
	Within      string `json:"within" doc:"How old a part may be, like 12h. One that is not known is named; the score is then at least what is known."`
	Hypercapnic bool   `json:"hypercapnic,omitempty" doc:"A clinician has set the target 88 to 92 %: scale 2."`
}

// rules that are in force, or were, on a patient.
type patientRule struct {
	ID      string         `json:"id"`
	Version int            `json:"version"`
	Preset  string         `json:"preset,omitempty"`
	From    time.Time      `json:"from"`
	Until   time.Time      `json:"until,omitzero" doc:"Absent while it is in force."`
	Rule    ruled          `json:"rule"`
	Tested  *reading.Trial `json:"tested,omitempty" doc:"What it would have raised on the person's own past, tried before it came into force."`
}

type preset struct {
	Name   string  `json:"name"`
	Source string  `json:"source"`
	Found  string  `json:"found,omitempty" doc:"What was found of it."`
	Rules  []ruled `json:"rules"`
}

func (s *server) ruleRoutes() {
	get(s, "list-presets", "/rules/presets", "Published rules, with their sources. Staff only.", s.presets)
	get(s, "list-rules", "/patients/{id}/rules", "The rules on a patient's readings, in every version that ever was in force. Staff only.", s.rules)
	post(s, "try-rules", "/patients/{id}/rules/try", "What rules would have raised on a patient's last 90 days. Nothing is switched on. Staff only.", http.StatusOK, s.tryRules)
	post(s, "set-rules", "/patients/{id}/rules", "Switches a preset or a rule on, tried on the patient's past. A preset that is on already stays as it is. Staff only.",
		http.StatusCreated, s.setRules)
	post(s, "end-rule", "/patients/{id}/rules/{rule}/end", "Switches a rule off. What it has raised stays. Staff only.", http.StatusOK, s.endRule)
}

type presetsInput struct{ Part }

func (s *server) presets(_ context.Context, c *caller, in *presetsInput) (list[preset], error) {
	if err := staffOnly(c); err != nil {
		return list[preset]{}, err
	}
	return cut(rule.Presets(), in.Part, func(p rule.Preset) string { return p.Name }, func(p rule.Preset) (preset, error) {
		out := preset{Name: p.Name, Source: p.Source, Found: p.Found}
		for _, r := range p.Rules {
			out.Rules = append(out.Rules, ruledOf(r))
		}
		return out, nil
	})
}

type rulesInput struct {
	ID person.ID `path:"id"`
	Part
}

func (s *server) rules(ctx context.Context, c *caller, in *rulesInput) (list[patientRule], error) {
	var out list[patientRule]
	if err := staffOnly(c); err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.See, in.ID, "rules")
	if err != nil {
		return out, err
	}
	all, err := s.Reading.Rules(ctx, string(c.Org), string(p.ID))
	if err != nil {
		return out, err
	}
	return cut(all, in.Part, func(r reading.Rule) string { return r.ID + "/" + timeKey(r.From) }, func(r reading.Rule) (patientRule, error) {
		return patientRuleOf(r, p.Location()), nil
	})
}

// rulesBody is a preset by its name, or one rule.
type rulesBody struct {
	Preset string `json:"preset,omitempty" maxLength:"100" example:"heart-failure-own"`
	Rule   *ruled `json:"rule,omitempty"`
}

type setRulesInput struct {
	ID person.ID `path:"id"`
	Write
	Body rulesBody
}

// read answers the rules that a body asks for.
func (b rulesBody) read() (name string, rules []rule.Rule, err error) {
	switch {
	case (b.Preset == "") == (b.Rule == nil):
		return "", nil, fault.Invalidf("preset: want the name of a preset or a rule, and not both.")
	case b.Rule != nil:
		r, err := b.Rule.read()
		return "", []rule.Rule{r}, err
	}
	p, ok := rule.Named(b.Preset)
	if !ok {
		return "", nil, fault.NotFoundf("There is no preset with that name.")
	}
	return p.Name, p.Rules, nil
}

func (s *server) tryRules(ctx context.Context, c *caller, in *setRulesInput) (out reading.Trial, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	_, rules, err := in.Body.read()
	if err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.See, in.ID, "try rules")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		out, err = s.Reading.Try(tx, string(c.Org), string(p.ID), rules)
		return err
	})
	return out, err
}

func (s *server) setRules(ctx context.Context, c *caller, in *setRulesInput) (list[patientRule], error) {
	out := list[patientRule]{Items: []patientRule{}}
	if err := staffOnly(c); err != nil {
		return out, err
	}
	name, rules, err := in.Body.read()
	if err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "switch rules on")
	if err != nil {
		return out, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (list[patientRule], error) {
		out.Items = out.Items[:0]
		var set []reading.Rule
		if name != "" {
			set, err = s.Reading.Adopt(tx, string(c.Org), string(p.ID), name, rules)
		} else {
			var one reading.Rule
			one, err = s.Reading.SetRule(tx, reading.Rule{Org: string(c.Org), Patient: string(p.ID), Rule: rules[0]})
			set = []reading.Rule{one}
		}
		for _, r := range set {
			out.Items = append(out.Items, patientRuleOf(r, p.Location()))
		}
		return out, err
	})
}

type endRuleInput struct {
	ID   person.ID `path:"id"`
	Rule string    `path:"rule"`
	Key  string    `header:"Idempotency-Key" maxLength:"255"`
}

func (s *server) endRule(ctx context.Context, c *caller, in *endRuleInput) (struct{}, error) {
	var none struct{}
	if err := staffOnly(c); err != nil {
		return none, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "switch a rule off")
	if err != nil {
		return none, err
	}
	return once(ctx, s, c, Write{Key: in.Key}, func(tx *store.Tx) (struct{}, error) {
		return none, s.Reading.EndRule(tx, string(c.Org), string(p.ID), in.Rule)
	})
}

func patientRuleOf(r reading.Rule, zone *time.Location) patientRule {
	return patientRule{ID: r.ID, Version: r.Version, Preset: r.Name, From: local(r.From, zone), Until: local(r.Until, zone), Rule: ruledOf(r.Rule), Tested: r.Tested}
}

func ruledOf(r rule.Rule) ruled {
	out := ruled{Series: r.Series, Above: limitOf(r.Above), Below: limitOf(r.Below), Hold: spell(r.Hold), Hysteresis: r.Hysteresis, Repeat: spell(r.Repeat), Least: r.Least,
		Missing: spell(r.Missing), Severity: r.Severity}
	if r.Parts != nil {
		out.Parts = &scoreParts{spell(r.Parts.Within), r.Parts.Hypercapnic}
	}
	for _, w := range r.With {
		out.With = append(out.With, sign{Series: w.Series, Above: limitOf(w.Above), Below: limitOf(w.Below), Within: spell(w.Within)})
	}
	return out
}

func limitOf(l rule.Limit) *limit {
	if l.Kind == rule.None {
		return nil
	}
	return &limit{Kind: string(l.Kind), Value: l.Value, Over: spell(l.Over)}
}

func spell(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// read turns what a program wrote into a rule; Try and SetRule say what is wrong with it as a rule.
func (r ruled) read() (rule.Rule, error) {
	var d durations
	out := rule.Rule{Series: r.Series, Above: d.limit("above", r.Above), Below: d.limit("below", r.Below), Hold: d.read("hold", r.Hold), Hysteresis: r.Hysteresis,
		Repeat: d.read("repeat", r.Repeat), Least: r.Least, Missing: d.read("missing", r.Missing), Severity: r.Severity}
	if r.Parts != nil {
		out.Parts = &rule.Parts{Within: d.read("parts.within", r.Parts.Within), Hypercapnic: r.Parts.Hypercapnic}
	}
	for _, w := range r.With {
		out.With = append(out.With, rule.Sign{Series: w.Series, Above: d.limit("with.above", w.Above), Below: d.limit("with.below", w.Below), Within: d.read("with.within", w.Within)})
	}
	return out, d.err
}

// durations reads many and keeps the first error.
type durations struct{ err error }

func (d *durations) read(name, text string) time.Duration {
	if text == "" {
		return 0
	}
	v, err := time.ParseDuration(text)
	if err != nil && d.err == nil {
		d.err = fault.Invalidf("%s: want a duration like 90m or 72h.", name)
	}
	return v
}

func (d *durations) limit(name string, l *limit) rule.Limit {
	if l == nil {
		return rule.Limit{}
	}
	return rule.Limit{Kind: rule.Kind(l.Kind), Value: l.Value, Over: d.read(name+".over", l.Over)}
}

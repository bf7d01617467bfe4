package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// numbersPage shows a person's own body: a sentence for each number, then its chart.
type numbersPage struct {
	*page
	Figures []figure
	Doses   *doseCalendar // nil: no medicines yet
}

// figure is one number with its sentence, its chart and the chart's facts as a table.
type figure struct {
	Key    string // what.Key names it
	Say    string
	Value  string
	Unit   string
	At     time.Time
	Chart  string // SVG
	Heads  []string
	Rows   [][]string
	Unsure string // said when the latest value is odd; empty otherwise
	Note   string // how to read the chart
	Zoom   string // code of the series that the script may show in full; empty: none
	Bar    string // SVG of the shares
	Bars   []bar
	Change string           // since last week; empty: none that is real
	Code   string           // of the unit, UCUM
	Kind   reading.GoalKind // empty: no goal can be set
	Goal   string           // whether the goal is met; empty: there is none
	With   string           // with whom the goal was set; empty: the person did, or there is none
	Fields []field          // of the form of a goal; empty: the viewer may not change it
}

// numbersDays is how far back the charts go.
const numbersDays = 21

// shown is a series that pages know how to show; others are kept, and exported, but not drawn.
type shown struct {
	code, key string
	decimals  int
	least     float64 // a change smaller than this is steady, in the unit
}

// LOINC codes of what is drawn, in the order of the page.
var shownSeries = []shown{
	{"29463-7", "weight", 1, 0.8},
	{"8867-4", "pulse", 0, 5},
	{"59408-5", "oxygen", 0, 2},
	{"2708-6", "oxygen", 0, 2},
	{"2339-0", "glucose", 0, 20},
	{"15074-8", "glucose", 1, 1.1},
	{sample.TissueGlucose, "sensor", 0, 20},
}

const systolic, diastolic = "8480-6", "8462-4"

func (s *Server) numbers(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showNumbers(w, r, p, http.StatusOK)
}

func (s *Server) showNumbers(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	p.Title, p.Active = "numbers.title", "nav.numbers"
	m := numbersPage{page: p}
	var err error
	if m.Figures, err = s.figures(r.Context(), p, true); err != nil {
		return err
	}
	err = s.DB.Read(r.Context(), func(tx *store.Tx) error {
		m.Doses, err = s.doseDays(tx, p)
		return err
	})
	if err != nil {
		return err
	}
	return s.show(w, r, status, p, numbersView(m))
}

// figures answers what a person's devices have shown. It reads by itself, so it must stand outside a transaction.
func (s *Server) figures(ctx context.Context, p *page, charts bool) ([]figure, error) {
	latest, err := s.Reading.Latest(ctx, string(p.Org.ID), string(p.Patient.ID))
	if err != nil {
		return nil, err
	}
	had := map[string]reading.Sample{}
	for _, l := range latest {
		had[l.Series] = l
	}
	var goals map[reading.GoalKind]reading.Goal
	var with map[reading.GoalKind]string
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		if goals, err = s.Reading.Goals(tx, string(p.Org.ID), string(p.Patient.ID)); err == nil {
			with, err = s.with(tx, p, goals)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var list []figure
	if top, ok := had[systolic]; ok && had[diastolic].Series != "" {
		f, err := s.pressure(ctx, p, top, had[diastolic], goals, charts)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	f, code, ok, err := s.sensor(ctx, p, had, goals, charts)
	if err != nil {
		return nil, err
	}
	if ok {
		list = append(list, f)
		delete(had, code)
	}
	for _, sh := range shownSeries {
		l, ok := had[sh.code]
		if !ok {
			continue
		}
		f, err := s.single(ctx, p, sh, l, goals, charts)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	if l, ok := had[sample.Steps]; ok {
		f, err := s.steps(ctx, p, l, goals, charts)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	for i := range list {
		f := &list[i]
		f.With = with[f.Kind]
		if (charts || p.Viewer.Role.Staff()) && f.Kind != "" && p.May(person.Manage) {
			f.Fields = p.goalFields(*f, goals)
		}
	}
	return list, nil
}

// day is one day's values of a series.
type day struct {
	Day    clock.Day
	Median float64
	N      int
}

// days answers the days of the charts.
func (s *Server) days(ctx context.Context, p *page, code string) ([]day, error) {
	return s.daysOf(ctx, p, code, numbersDays)
}

// daysOf answers the median of each of the last n days on which there is a value that can be believed.
func (s *Server) daysOf(ctx context.Context, p *page, code string, n int) ([]day, error) {
	last := clock.DayOf(p.Now, p.Zone)
	from := clock.At(last.Add(1-n), 0, p.Zone)
	samples, err := s.Reading.Samples(ctx, string(p.Org.ID), string(p.Patient.ID), code, from, p.Now.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	values := map[clock.Day][]float64{}
	for _, x := range samples {
		if x.Flags&(reading.Impossible|reading.TimeUnknown|reading.Unlike) == 0 {
			d := clock.DayOf(x.At, p.Zone)
			values[d] = append(values[d], x.Value)
		}
	}
	var list []day
	for i := range n {
		d := last.Add(1 - n + i)
		if v := values[d]; len(v) > 0 {
			list = append(list, day{d, median(v), len(v)})
		}
	}
	return list, nil
}

// band answers the middle four fifths of a person's own days: what is usual for this person.
func band(days []day) (low, high float64) {
	if len(days) < 5 {
		return 0, 0
	}
	v := make([]float64, len(days))
	for i, d := range days {
		v[i] = d.Median
	}
	slices.Sort(v)
	return quantile(v, 0.1), quantile(v, 0.9)
}

func (s *Server) single(ctx context.Context, p *page, sh shown, l reading.Sample, goals map[reading.GoalKind]reading.Goal, charts bool) (figure, error) {
	f := figure{Key: sh.key, Code: l.Unit, Value: p.Num(l.Value, sh.decimals), Unit: unit(l.Unit), At: l.At, Unsure: p.doubt(l.Flags)}
	days, err := s.days(ctx, p, sh.code)
	if err != nil {
		return f, err
	}
	f.Say = p.trend(sh, days, f.Unit)
	f.Change = p.change("week.number", changed(clock.DayOf(p.Now, p.Zone), days, sh.least), sh.decimals, "what", p.T("the."+sh.key), "unit", f.Unit)
	aim := 0.0
	if _, mass := sample.Convert(1, l.Unit, "kg"); sh.code == sample.Weight && mass {
		f.Kind = reading.WeightGoal
		if g, ok := goals[f.Kind]; ok {
			aim, _ = sample.Convert(g.Value, "kg", l.Unit)
			now, _ := sample.Convert(l.Value, l.Unit, "kg")
			short, _ := sample.Convert(g.Short(now), "kg", l.Unit)
			f.Goal = p.goal(p.Num(aim, tenth(aim))+" "+f.Unit, short, p.Num(short, 1)+" "+f.Unit)
		}
	}
	if !charts || len(days) == 0 {
		return f, nil
	}
	low, high := band(days)
	first := clock.DayOf(p.Now, p.Zone).Add(1 - numbersDays)
	c := plot{Name: f.Say, BandLow: low, BandHigh: high, Goal: aim, XLabels: p.dayLabels(first), Format: func(v float64) string { return p.Num(v, tenth(v)) }}
	f.Heads = []string{p.T("numbers.day"), p.T("what."+sh.key) + " (" + f.Unit + ")"}
	for _, d := range days {
		odd := high > low && (d.Median < low-sh.least || d.Median > high+sh.least)
		c.Dots = append(c.Dots, dot{X: across(d.Day, first), High: d.Median, Odd: odd})
		f.Rows = append(f.Rows, []string{p.shortDay(d.Day), p.Num(d.Median, sh.decimals)})
	}
	slices.Reverse(f.Rows)
	f.Chart = c.draw()
	f.Note = p.legend(c)
	f.Zoom = sh.code
	return f, nil
}

// pressure shows the two numbers of blood pressure as one range a day, with the average of the week.
func (s *Server) pressure(ctx context.Context, p *page, top, bottom reading.Sample, goals map[reading.GoalKind]reading.Goal, charts bool) (figure, error) {
	f := figure{Kind: reading.PressureGoal, Key: "pressure", Value: p.Num(top.Value, 0) + "/" + p.Num(bottom.Value, 0), Unit: unit(top.Unit), At: top.At, Unsure: p.doubt(top.Flags | bottom.Flags)}
	highs, err := s.days(ctx, p, systolic)
	if err != nil {
		return f, err
	}
	lows, err := s.days(ctx, p, diastolic)
	if err != nil {
		return f, err
	}
	low := map[clock.Day]float64{}
	for _, d := range lows {
		low[d.Day] = d.Median
	}
	first := clock.DayOf(p.Now, p.Zone).Add(1 - numbersDays)
	goal, aimed := goals[f.Kind]
	c := plot{Ranges: true, Goal: goal.Value, Lower: level{Goal: goal.Low}, XLabels: p.dayLabels(first), Format: func(v float64) string { return p.Num(v, tenth(v)) }}
	f.Heads = []string{p.T("numbers.day"), p.T("what.pressure") + " (" + f.Unit + ")"}
	c.BandLow, c.BandHigh = band(highs)
	c.Lower.BandLow, c.Lower.BandHigh = band(lows)
	var week, weekLow []float64
	for _, d := range highs {
		bottom, ok := low[d.Day]
		if !ok {
			continue
		}
		c.Dots = append(c.Dots, dot{X: across(d.Day, first), High: d.Median, Low: bottom})
		f.Rows = append(f.Rows, []string{p.shortDay(d.Day), p.Num(d.Median, 0) + "/" + p.Num(bottom, 0)})
		if first.Add(numbersDays).Sub(d.Day) <= 7 {
			week, weekLow = append(week, d.Median), append(weekLow, bottom)
		}
	}
	f.Say = p.T("numbers.pressure.none")
	if len(week) > 0 {
		f.Say = p.N("numbers.pressure", len(week), "top", p.Num(mean(week), 0), "bottom", p.Num(mean(weekLow), 0))
		if aimed {
			short := math.Round(goal.ShortOf(math.Round(mean(week)), math.Round(mean(weekLow))))
			f.Goal = p.goal(p.Num(goal.Value, 0)+"/"+p.Num(goal.Low, 0), short, p.Num(short, 0)+" "+f.Unit)
		}
	}
	f.Change = p.change("week.number", changed(clock.DayOf(p.Now, p.Zone), highs, 5), 0, "what", p.T("the.top"), "unit", f.Unit)
	slices.Reverse(f.Rows)
	if c.Name = f.Say; charts && len(c.Dots) > 0 {
		f.Chart = c.draw()
		f.Note = p.legend(c)
		f.Zoom = systolic
	}
	return f, nil
}

// trend says in one sentence how the last two days stand against the two weeks before them.
func (p *page) trend(sh shown, days []day, unit string) string {
	what := p.T("the." + sh.key)
	if len(days) < 5 {
		return p.N("numbers.few", len(days), "what", what)
	}
	var now, before []float64
	for i, d := range days {
		if i >= len(days)-2 {
			now = append(now, d.Median)
		} else if i >= len(days)-16 {
			before = append(before, d.Median)
		}
	}
	change := mean(now) - mean(before)
	by := p.Num(max(change, -change), sh.decimals)
	switch {
	case change >= sh.least:
		return p.T("numbers.up", "what", what, "by", by, "unit", unit)
	case change <= -sh.least:
		return p.T("numbers.down", "what", what, "by", by, "unit", unit)
	}
	return p.T("numbers.steady", "what", what)
}

// legend says what is drawn beside the values.
func (p *page) legend(c plot) string {
	var text []string
	if c.BandHigh > c.BandLow {
		text = append(text, p.T("numbers.band"))
	}
	if c.Goal != 0 {
		text = append(text, p.T("numbers.dashes"))
	}
	return strings.Join(text, " ")
}

// doubt says what is odd about the newest value.
func (p *page) doubt(f reading.Flags) string {
	switch {
	case f&reading.Unlike != 0:
		return p.T("numbers.unlike")
	case f&reading.Impossible != 0:
		return p.T("numbers.impossible")
	}
	return ""
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(max(len(v), 1))
}

// across answers where a day lies on the chart, 0 to 1.
func across(d, first clock.Day) float64 {
	return (float64(d.Sub(first)) + 0.5) / numbersDays
}

func (p *page) dayLabels(first clock.Day) []label {
	var list []label
	for i := 6; i < numbersDays-1; i += 7 { // two weeks ago, one week ago
		list = append(list, label{across(first.Add(i), first), words.DayShort(p.Lang, clock.At(first.Add(i), clock.WallAt(12, 0), p.Zone), p.Zone)})
	}
	return append(list, label{1, p.T("numbers.today")})
}

func (p *page) shortDay(d clock.Day) string {
	return words.Day(p.Lang, clock.At(d, clock.WallAt(12, 0), p.Zone), p.Zone)
}

// units are UCUM codes as people write them.
var units = map[string]string{"mm[Hg]": "mmHg", "/min": "/min", "Cel": "°C", "[lb_av]": "lb", "{beats}/min": "/min"}

func unit(code string) string {
	if u, ok := units[code]; ok {
		return u
	}
	return code
}

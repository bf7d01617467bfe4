package sentence

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/words"
)

// one writes a canonical dosage as a sentence, with a full stop; what bounds its doses follows as a sentence of its own.
func one(lang string, d fhir.Dosage) (string, bool) {
	w := writer{lang: lang, ok: true}
	r := d.Timing.Repeat
	route, _ := routeOf(d.Route)
	parts := []string{w.t("sig.route."+route, "amount", w.dose(d))}
	cycle := cycleOf(d.Timing)
	switch {
	case cycle != nil && len(r.When)+len(r.TimeOfDay) == 0 && r.Frequency > 0:
		parts = append(parts, w.times(r.Frequency/len(cycle), 0)+" "+w.t("sig.per.d"))
	case cycle != nil && len(r.When)+len(r.TimeOfDay) == 0:
		parts = append(parts, w.times(1, 0)+" "+w.t("sig.per.d"))
	case cycle == nil && r.Period != "":
		parts = append(parts, w.frequency(r))
	}
	if when := w.when(r); when != "" {
		parts = append(parts, when)
	}
	if len(r.DayOfWeek) > 0 {
		var names []string
		for _, day := range r.DayOfWeek {
			names = append(names, w.t("sig.day."+day))
		}
		parts = append(parts, w.t("sig.on", "days", w.list(names)))
	}
	if r.Duration != "" {
		parts = append(parts, w.count("sig.lasts."+r.DurationUnit, r.Duration))
	}
	if c := d.AsNeededCodeableConcept; c != nil {
		parts = append(parts, w.t("sig.needed.for", "reason", c.Text))
	} else if d.AsNeeded() {
		parts = append(parts, w.t("sig.needed"))
	}
	clauses := []string{strings.Join(parts, " ")}
	if cycle != nil {
		clauses = append(clauses, w.cycle(cycle, r))
	}
	clauses = append(clauses, w.bounds(r)...)
	text := strings.Join(clauses, ", ") + "."
	if m := d.MaxDosePerPeriod; m != nil {
		text += " " + w.count("sig.max."+m.Denominator.Code, m.Denominator.Value, "amount", w.amount(m.Numerator)) + "."
	}
	return text, w.ok
}

type writer struct {
	lang string
	ok   bool // false once something has no words
}

func (w *writer) t(key string, args ...string) string {
	if !words.Has(key) {
		w.ok = false
	}
	m := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	return words.Say(w.lang, key, m)
}

func (w *writer) num(d fhir.Decimal) string { return numberText(w.lang, d.Float()) }

// numberText writes a number with the decimals that it has.
func numberText(lang string, v float64) string {
	_, part, _ := strings.Cut(strconv.FormatFloat(v, 'f', -1, 64), ".")
	return words.Number(lang, v, len(part))
}

// count writes a text that has a form for one and a form for more.
func (w *writer) count(key string, n fhir.Decimal, args ...string) string {
	form := ".other"
	if n == "1" {
		form = ".one"
	}
	return w.t(key+form, append(args, "n", w.num(n))...)
}

func (w *writer) dose(d fhir.Dosage) string {
	if len(d.DoseAndRate) == 0 {
		return w.t("sig.amount.dose")
	}
	x := d.DoseAndRate[0]
	if x.DoseQuantity != nil {
		return w.amount(x.DoseQuantity)
	}
	return w.t("unit."+x.DoseRange.Low.Unit+".other", "n", w.span(x.DoseRange))
}

func (w *writer) span(r *fhir.Range) string {
	return w.t("sig.amount.range", "n", w.num(r.Low.Value), "m", w.num(r.High.Value))
}

func (w *writer) amount(q *fhir.Quantity) string { return w.count("unit."+q.Unit, q.Value) }

func (w *writer) times(n, most int) string {
	switch {
	case most > 0:
		return w.t("sig.times.range", "n", strconv.Itoa(n), "m", strconv.Itoa(most))
	case n <= 2:
		return w.t("sig.times." + strconv.Itoa(max(n, 1)))
	}
	return w.t("sig.times.n", "n", strconv.Itoa(n))
}

func (w *writer) frequency(r *fhir.Repeat) string {
	plain := r.Period == "1" && r.PeriodMax == "" && r.PeriodUnit != "h" && r.PeriodUnit != "min"
	if plain {
		return w.times(r.Frequency, r.FrequencyMax) + " " + w.t("sig.per."+r.PeriodUnit)
	}
	every := w.count("sig.every."+r.PeriodUnit, r.Period)
	switch {
	case r.PeriodMax != "":
		every = w.t("sig.every."+r.PeriodUnit+".other", "n", w.t("sig.amount.range", "n", w.num(r.Period), "m", w.num(r.PeriodMax)))
	case r.Period == "2" && r.PeriodUnit == "d":
		every = w.t("sig.every.d.two")
	}
	if r.Frequency <= 1 && r.FrequencyMax == 0 {
		return every
	}
	return w.times(r.Frequency, r.FrequencyMax) + " " + every
}

func (w *writer) when(r *fhir.Repeat) string {
	var items []string
	for _, text := range r.TimeOfDay {
		wall, err := clock.ParseWall(string(text))
		if err != nil {
			w.ok = false
			return ""
		}
		items = append(items, w.t("sig.at", "time", wallText(w.lang, wall)))
	}
	for _, code := range r.When {
		if r.Offset == 0 {
			items = append(items, w.t("sig.when."+code))
			continue
		}
		text := w.t(offsetKey(code))
		if len(items) == 0 { // one offset is for all
			text = w.t("sig.off", "n", strconv.Itoa(r.Offset), "when", text)
		}
		items = append(items, text)
	}
	return w.list(items)
}

// offsetKey names the words that follow "30 minutes"; a meal's own are "before breakfast".
func offsetKey(code string) string {
	if strings.HasPrefix(code, "AC") || strings.HasPrefix(code, "PC") {
		return "sig.when." + code
	}
	return "sig.off." + code
}

func wallText(lang string, w clock.Wall) string {
	return words.Time(lang, time.Date(2000, 1, 1, int(w)/60, int(w)%60, 0, 0, time.UTC), time.UTC)
}

func (w *writer) list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " " + w.t("sig.and") + " " + items[last]
}

func cycleOf(t *fhir.Timing) []int {
	var out []int
	for _, e := range t.Extension {
		for _, d := range e.Extension {
			out = append(out, d.ValueInteger)
		}
	}
	return out
}

func (w *writer) cycle(days []int, r *fhir.Repeat) string {
	length := int(r.Period.Float())
	if n := len(days); n > 1 && n < length-1 && days[n-1] == n {
		return w.t("sig.cycle.run", "n", strconv.Itoa(n), "m", strconv.Itoa(length-n))
	}
	var names []string
	for _, d := range days {
		names = append(names, strconv.Itoa(d))
	}
	return w.t("sig.cycle.days", "days", w.list(names), "n", strconv.Itoa(length))
}

func (w *writer) bounds(r *fhir.Repeat) (out []string) {
	if q := r.BoundsDuration; q != nil {
		out = append(out, w.count("sig.for."+q.Code, q.Value))
	}
	if b := r.BoundsRange; b != nil {
		out = append(out, w.t("sig.for."+b.Low.Code+".other", "n", w.span(b)))
	}
	if b := r.BoundsPeriod; b != nil {
		for i, text := range []fhir.DateTime{b.Start, b.End} {
			if text == "" {
				continue
			}
			day, err := clock.ParseDay(string(text))
			if err != nil {
				w.ok = false
				return nil
			}
			out = append(out, w.t([]string{"sig.from", "sig.until"}[i], "date", dateText(w.lang, day)))
		}
	}
	if r.Count > 0 {
		n := fhir.Decimal(strconv.Itoa(r.Count))
		if r.CountMax > 0 {
			out = append(out, w.t("sig.count.other", "n", w.t("sig.amount.range", "n", string(n), "m", strconv.Itoa(r.CountMax))))
		} else {
			out = append(out, w.count("sig.count", n))
		}
	}
	return out
}

func dateText(lang string, d clock.Day) string {
	return words.Date(lang, time.Date(d.Year, d.Month, d.Date, 12, 0, 0, 0, time.UTC), time.UTC)
}

// whenCodes are the events of the day that have words.
var whenCodes = func() (out []string) {
	for _, key := range words.Keys() {
		if code, ok := strings.CutPrefix(key, "sig.when."); ok {
			out = append(out, code)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}()

package sentence

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/words"
)

// reader tries every way to read a sentence, part by part in the order in which they are written.
type reader struct {
	lang    string
	found   []reading
	reached int // how far any way came, in bytes
	text    string
}

type reading struct {
	dosage fhir.Dosage
	rest   string
}

// step reads one part off the front of the text: each way it can be read, as what it changes and what is left.
type step func(r *reader, rest string) []option

type option struct {
	set  func(d *fhir.Dosage)
	rest string
}

func (r *reader) sentence(text string) {
	r.text = text
	r.parse([]step{core, maybe(frequency), maybe(when), maybe(onDays), maybe(lasts), maybe(needed), maybe(clause(cycle)), maybe(clause(lengthOf)), maybe(clause(from)), maybe(clause(until)),
		maybe(clause(counted)), stop, maybe(most)}, text, nil)
}

func (r *reader) parse(steps []step, rest string, sets []func(*fhir.Dosage)) {
	r.reached = max(r.reached, len(r.text)-len(rest))
	if len(steps) == 0 {
		if rest = strings.TrimPrefix(rest, " "); rest != "" && !r.begins(rest) {
			return
		}
		d := fhir.Dosage{Timing: &fhir.Timing{Repeat: &fhir.Repeat{}}}
		for _, set := range sets {
			if set != nil {
				set(&d)
			}
		}
		c, ok := canon(d)
		if !ok {
			return
		}
		for _, f := range r.found {
			if same([]fhir.Dosage{f.dosage}, []fhir.Dosage{c}) && f.rest == rest {
				return
			}
		}
		r.found = append(r.found, reading{c, rest})
		return
	}
	for _, o := range steps[0](r, rest) {
		r.parse(steps[1:], o.rest, append(sets[:len(sets):len(sets)], o.set))
	}
}

// begins tells whether another sentence follows.
func (r *reader) begins(rest string) bool {
	for _, key := range []string{"sig.then", "sig.also"} {
		before, _, _ := strings.Cut(words.Say(r.lang, key, nil), "{")
		if strings.HasPrefix(rest, before) {
			return true
		}
	}
	return false
}

func maybe(s step) step {
	return func(r *reader, rest string) []option {
		return append(s(r, rest), option{rest: rest})
	}
}

// spaced reads what stands behind a space.
func spaced(rest string) (string, bool) { return strings.CutPrefix(rest, " ") }

// clause reads a part behind a comma.
func clause(s step) step {
	return func(r *reader, rest string) []option {
		if after, ok := strings.CutPrefix(rest, ", "); ok {
			return s(r, after)
		}
		return nil
	}
}

func stop(_ *reader, rest string) []option {
	if after, ok := strings.CutPrefix(rest, "."); ok {
		return []option{{rest: after}}
	}
	return nil
}

var patterns sync.Map // *regexp.Regexp by text

// kinds are what may stand in the places of the texts.
var kinds = map[string]string{"n": `[0-9][0-9.,]*(?: (?:to|a) [0-9][0-9.,]*)?`, "m": `[0-9][0-9.,]*`, "amount": `[^,.]*?(?:[0-9][.,][0-9][^,.]*?)?`, "time": `[0-9]{1,2}:[0-9]{2}(?: [ap]m)?`,
	"reason": `[^,.]+`, "date": `[\p{L}0-9]+ [\p{L}0-9]+(?:,| de)? [\p{L}0-9]+(?: de [0-9]{4})?`, "days": `[\p{L}0-9 ,]+?`}

// match reads the text of a key off the front, and answers what stands in its places.
func (r *reader) match(key, rest string) (map[string]string, string, bool) {
	pattern := words.Say(r.lang, key, nil)
	cached, ok := patterns.Load(pattern)
	if !ok {
		exp := "^"
		for left := pattern; left != ""; {
			before, after, more := strings.Cut(left, "{")
			exp += regexp.QuoteMeta(before)
			if !more {
				break
			}
			var name string
			name, left, _ = strings.Cut(after, "}")
			exp += "(?P<" + name + ">" + kinds[name] + ")"
		}
		cached = regexp.MustCompile(exp + `(?:\b|$|[ ,.])`)
		patterns.Store(pattern, cached)
	}
	exp := cached.(*regexp.Regexp)
	at := exp.FindStringSubmatchIndex(rest)
	if at == nil {
		return nil, "", false
	}
	args := map[string]string{}
	for i, name := range exp.SubexpNames() {
		if name != "" {
			args[name] = rest[at[2*i]:at[2*i+1]]
		}
	}
	end := at[1]
	if end > 0 && strings.ContainsAny(rest[end-1:end], " ,.") {
		end--
	}
	return args, rest[end:], true
}

// whole reads a text that must be all there is.
func (r *reader) whole(key, text string) (map[string]string, bool) {
	args, rest, ok := r.match(key, text)
	return args, ok && rest == ""
}

// number reads a number as the language writes it.
func (r *reader) number(text string) (fhir.Decimal, bool) {
	plain := strings.ReplaceAll(text, ",", "")
	if r.lang == "es" {
		plain = strings.ReplaceAll(strings.ReplaceAll(text, ".", ""), ",", ".")
	}
	v, err := strconv.ParseFloat(plain, 64)
	if err != nil || v <= 0 || numberText(r.lang, v) != text {
		return "", false
	}
	return fhir.Decimal(strconv.FormatFloat(v, 'f', -1, 64)), true
}

func (r *reader) whole1(text string) (int, bool) {
	d, ok := r.number(text)
	v := d.Float()
	return int(v), ok && v == float64(int(v))
}

// span reads a number, or two.
func (r *reader) span(text string) (low, high fhir.Decimal, ok bool) {
	before, _, _ := strings.Cut(words.Say(r.lang, "sig.amount.range", nil), "{m}")
	between := strings.TrimPrefix(before, "{n}")
	a, b, two := strings.Cut(text, between)
	if low, ok = r.number(a); !ok || !two {
		return low, "", ok
	}
	high, ok = r.number(b)
	return low, high, ok
}

// unitsKnown are the names of units in the catalogs.
var unitsKnown = []string{"tablet", "capsule", "drop", "puff", "patch", "spray", "spoon", "unit", "mL", "mg", "mcg", "g"}

// amount reads "1 tablet" or "1 to 2 tablets"; high is empty for one number.
func (r *reader) amount(text string) (low, high *fhir.Quantity, ok bool) {
	for _, unit := range unitsKnown {
		for _, form := range []string{".one", ".other"} {
			args, all := r.whole("unit."+unit+form, text)
			if !all {
				continue
			}
			a, b, fine := r.span(args["n"])
			if !fine || b == "" && (a == "1") != (form == ".one") && words.Say(r.lang, "unit."+unit+".one", nil) != words.Say(r.lang, "unit."+unit+".other", nil) {
				continue
			}
			low = &fhir.Quantity{Value: a, Unit: unit}
			if b != "" {
				high = &fhir.Quantity{Value: b, Unit: unit}
			}
			return low, high, true
		}
	}
	return nil, nil, false
}

func core(r *reader, rest string) (out []option) {
	names := []string{"none"}
	for name := range routes {
		names = append(names, name)
	}
	for _, name := range names {
		before, after, _ := strings.Cut(words.Say(r.lang, "sig.route."+name, nil), "{amount}")
		text, ok := strings.CutPrefix(rest, before)
		if !ok {
			continue
		}
		for end := 1; end <= len(text); end++ {
			left, ok := strings.CutPrefix(text[end:], after)
			if !ok || left != "" && left[0] != ' ' && left[0] != ',' && left[0] != '.' {
				continue
			}
			route := routeConcept(name)
			if text[:end] == words.Say(r.lang, "sig.amount.dose", nil) {
				out = append(out, option{func(d *fhir.Dosage) { d.Route = route }, left})
				continue
			}
			low, high, ok := r.amount(text[:end])
			if !ok {
				continue
			}
			x := fhir.DoseAndRate{DoseQuantity: low}
			if high != nil {
				x = fhir.DoseAndRate{DoseRange: &fhir.Range{Low: low, High: high}}
			}
			out = append(out, option{func(d *fhir.Dosage) { d.Route, d.DoseAndRate = route, []fhir.DoseAndRate{x} }, left})
		}
	}
	return out
}

var perUnits = []string{"d", "wk", "mo", "a"}

func frequency(r *reader, rest string) (out []option) {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	for _, t := range append(r.times(rest), counts{1, 0, rest, true}) {
		left := t.rest
		if !t.bare {
			if left, ok = spaced(left); !ok {
				continue
			}
			for _, unit := range perUnits {
				if _, after, ok := r.match("sig.per."+unit, left); ok {
					out = append(out, repeat(after, func(x *fhir.Repeat) { x.Frequency, x.FrequencyMax, x.Period, x.PeriodUnit = t.n, t.most, "1", unit }))
				}
			}
		}
		if _, after, ok := r.match("sig.every.d.two", left); ok {
			out = append(out, repeat(after, func(x *fhir.Repeat) { x.Frequency, x.FrequencyMax, x.Period, x.PeriodUnit = t.n, t.most, "2", "d" }))
		}
		for _, unit := range append([]string{"min", "h"}, perUnits...) {
			if _, after, ok := r.match("sig.every."+unit+".one", left); ok {
				out = append(out, repeat(after, func(x *fhir.Repeat) { x.Frequency, x.FrequencyMax, x.Period, x.PeriodUnit = t.n, t.most, "1", unit }))
			}
			args, after, ok := r.match("sig.every."+unit+".other", left)
			if !ok {
				continue
			}
			if low, high, ok := r.span(args["n"]); ok {
				out = append(out, repeat(after, func(x *fhir.Repeat) {
					x.Frequency, x.FrequencyMax, x.Period, x.PeriodMax, x.PeriodUnit = t.n, t.most, low, high, unit
				}))
			}
		}
	}
	return out
}

func repeat(rest string, set func(x *fhir.Repeat)) option {
	return option{func(d *fhir.Dosage) { set(d.Timing.Repeat) }, rest}
}

type counts struct {
	n, most int
	rest    string
	bare    bool // nothing was said: once
}

func (r *reader) times(rest string) (out []counts) {
	for n, key := range []string{1: "sig.times.1", 2: "sig.times.2"} {
		if key == "" {
			continue
		}
		if _, after, ok := r.match(key, rest); ok {
			out = append(out, counts{n: n, rest: after})
		}
	}
	if args, after, ok := r.match("sig.times.range", rest); ok {
		n, okN := r.whole1(args["n"])
		m, okM := r.whole1(args["m"])
		if okN && okM {
			out = append(out, counts{n: n, most: m, rest: after})
		}
	}
	if args, after, ok := r.match("sig.times.n", rest); ok {
		if n, ok := r.whole1(args["n"]); ok && n > 2 {
			out = append(out, counts{n: n, rest: after})
		}
	}
	return out
}

// when reads times of day, or events of it.
func when(r *reader, rest string) []option {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	return r.whenFrom(rest, fhir.Repeat{})
}

func (r *reader) whenFrom(rest string, had fhir.Repeat) (out []option) {
	add := func(next fhir.Repeat, left string) {
		out = append(out, repeat(left, func(x *fhir.Repeat) { x.TimeOfDay, x.When, x.Offset = next.TimeOfDay, next.When, next.Offset }))
		for _, glue := range []string{", ", " " + words.Say(r.lang, "sig.and", nil) + " "} {
			if after, ok := strings.CutPrefix(left, glue); ok {
				out = append(out, r.whenFrom(after, next)...)
			}
		}
	}
	if args, after, ok := r.match("sig.at", rest); ok && len(had.When) == 0 {
		if w, ok := readWall(r.lang, args["time"]); ok {
			next := had
			next.TimeOfDay = append(had.TimeOfDay[:len(had.TimeOfDay):len(had.TimeOfDay)], fhir.WallTime(w.String()+":00"))
			add(next, after)
		}
	}
	if len(had.TimeOfDay) > 0 {
		return out
	}
	before, _, _ := strings.Cut(words.Say(r.lang, "sig.off", nil), "{when}")
	unit := strings.TrimPrefix(before, "{n}")
	n, after := had.Offset, rest
	if len(had.When) == 0 {
		text, left, _ := strings.Cut(rest, unit)
		n, _ = r.whole1(text)
		after = left
	}
	for _, code := range whenCodes {
		if key := offsetKey(code); n > 0 && words.Has(key) {
			if _, left, ok := r.match(key, after); ok {
				next := had
				next.When, next.Offset = append(had.When[:len(had.When):len(had.When)], code), n
				add(next, left)
			}
		}
	}
	if len(had.When) > 0 && had.Offset > 0 {
		return out
	}
	for _, code := range whenCodes {
		if _, left, ok := r.match("sig.when."+code, rest); ok {
			next := had
			next.When = append(had.When[:len(had.When):len(had.When)], code)
			add(next, left)
		}
	}
	return out
}

func readWall(lang, text string) (clock.Wall, bool) {
	for _, layout := range []string{"3:04 pm", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			w := clock.WallAt(t.Hour(), t.Minute())
			return w, wallText(lang, w) == text
		}
	}
	return 0, false
}

func onDays(r *reader, rest string) (out []option) {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	before, _, _ := strings.Cut(words.Say(r.lang, "sig.on", nil), "{")
	if rest, ok = strings.CutPrefix(rest, before); !ok {
		return nil
	}
	var next func(rest string, days []string)
	next = func(rest string, days []string) {
		for _, day := range weekdays {
			after, ok := strings.CutPrefix(rest, words.Say(r.lang, "sig.day."+day, nil))
			if !ok {
				continue
			}
			all := append(days[:len(days):len(days)], day)
			out = append(out, repeat(after, func(x *fhir.Repeat) { x.DayOfWeek = all }))
			for _, glue := range []string{", ", " " + words.Say(r.lang, "sig.and", nil) + " "} {
				if left, ok := strings.CutPrefix(after, glue); ok {
					next(left, all)
				}
			}
		}
	}
	next(rest, nil)
	return out
}

// counted1 reads a text that has a form for one and a form for more, in each of some units.
func (r *reader) counted1(key, rest string, units []string, got func(unit string, low, high fhir.Decimal, args map[string]string, rest string)) {
	for _, unit := range units {
		for _, form := range []string{".one", ".other"} {
			args, after, ok := r.match(key+unit+form, rest)
			if !ok {
				continue
			}
			low, high, ok := r.span(args["n"])
			if ok && (high != "" && form == ".other" || high == "" && (low == "1") == (form == ".one")) {
				got(unit, low, high, args, after)
			}
		}
	}
}

func lasts(r *reader, rest string) (out []option) {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	r.counted1("sig.lasts.", rest, []string{"min", "h", "d"}, func(unit string, n, high fhir.Decimal, _ map[string]string, after string) {
		if high == "" {
			out = append(out, repeat(after, func(x *fhir.Repeat) { x.Duration, x.DurationUnit = n, unit }))
		}
	})
	return out
}

func needed(r *reader, rest string) (out []option) {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	if args, after, ok := r.match("sig.needed.for", rest); ok {
		reason := args["reason"]
		if reason == "" || strings.Join(strings.Fields(reason), " ") != reason {
			return nil
		}
		return []option{{func(d *fhir.Dosage) { d.AsNeededCodeableConcept = &fhir.CodeableConcept{Text: reason} }, after}}
	}
	if _, after, ok := r.match("sig.needed", rest); ok {
		yes := true
		return []option{{func(d *fhir.Dosage) { d.AsNeededBoolean = &yes }, after}}
	}
	return nil
}

func cycle(r *reader, rest string) (out []option) {
	add := func(days []int, length int, after string) {
		if length < 2 || length > 400 {
			return
		}
		out = append(out, option{func(d *fhir.Dosage) {
			x := d.Timing.Repeat
			if x.Period == "1" && x.PeriodUnit == "d" && x.Frequency > 1 {
				x.Frequency *= len(days)
			}
			x.Period, x.PeriodUnit = fhir.Decimal(strconv.Itoa(length)), "d"
			d.Timing.Extension = cycleExtension(days)
		}, after})
	}
	if args, after, ok := r.match("sig.cycle.run", rest); ok {
		n, okN := r.whole1(args["n"])
		m, okM := r.whole1(args["m"])
		if okN && okM && n+m <= 400 {
			days := make([]int, n)
			for i := range days {
				days[i] = i + 1
			}
			add(days, n+m, after)
		}
	}
	if args, after, ok := r.match("sig.cycle.days", rest); ok {
		list := strings.ReplaceAll(args["days"], " "+words.Say(r.lang, "sig.and", nil)+" ", ", ")
		var days []int
		for text := range strings.SplitSeq(list, ", ") {
			n, ok := r.whole1(text)
			if !ok {
				return out
			}
			days = append(days, n)
		}
		if length, ok := r.whole1(args["n"]); ok {
			add(days, length, after)
		}
	}
	return out
}

func lengthOf(r *reader, rest string) (out []option) {
	r.counted1("sig.for.", rest, []string{"d", "wk", "mo"}, func(unit string, low, high fhir.Decimal, _ map[string]string, after string) {
		out = append(out, repeat(after, func(x *fhir.Repeat) {
			a := &fhir.Quantity{Value: low, Code: unit}
			if high == "" {
				x.BoundsDuration = a
			} else {
				x.BoundsRange = &fhir.Range{Low: a, High: &fhir.Quantity{Value: high, Code: unit}}
			}
		}))
	})
	return out
}

func from(r *reader, rest string) []option {
	return r.dated("sig.from", rest, func(p *fhir.Period, t fhir.DateTime) { p.Start = t })
}

func until(r *reader, rest string) []option {
	return r.dated("sig.until", rest, func(p *fhir.Period, t fhir.DateTime) { p.End = t })
}

func (r *reader) dated(key, rest string, set func(*fhir.Period, fhir.DateTime)) []option {
	args, after, ok := r.match(key, rest)
	if !ok {
		return nil
	}
	day, ok := readDate(r.lang, args["date"])
	if !ok {
		return nil
	}
	return []option{repeat(after, func(x *fhir.Repeat) {
		if x.BoundsPeriod == nil {
			x.BoundsPeriod = &fhir.Period{}
		}
		set(x.BoundsPeriod, fhir.DateTime(day.String()))
	})}
}

var digits = regexp.MustCompile(`[0-9]+`)

// readDate finds the date that is written so.
func readDate(lang, text string) (clock.Day, bool) {
	n := digits.FindAllString(text, -1)
	if len(n) != 2 {
		return clock.Day{}, false
	}
	date, _ := strconv.Atoi(n[0])
	year, _ := strconv.Atoi(n[1])
	for m := time.January; m <= time.December; m++ {
		if d := (clock.Day{Year: year, Month: m, Date: date}); dateText(lang, d) == text {
			return d, true
		}
	}
	return clock.Day{}, false
}

func counted(r *reader, rest string) (out []option) {
	r.counted1("sig.count", rest, []string{""}, func(_ string, low, high fhir.Decimal, _ map[string]string, after string) {
		n, m := int(low.Float()), int(high.Float())
		out = append(out, repeat(after, func(x *fhir.Repeat) { x.Count, x.CountMax = n, m }))
	})
	return out
}

func most(r *reader, rest string) (out []option) {
	rest, ok := spaced(rest)
	if !ok {
		return nil
	}
	r.counted1("sig.max.", rest, []string{"h", "d"}, func(unit string, n, high fhir.Decimal, args map[string]string, after string) {
		amount, top, ok := r.amount(args["amount"])
		left, stopped := strings.CutPrefix(after, ".")
		if ok && top == nil && high == "" && stopped {
			out = append(out, option{func(d *fhir.Dosage) {
				d.MaxDosePerPeriod = &fhir.Ratio{Numerator: amount, Denominator: &fhir.Quantity{Value: n, Code: unit}}
			}, left})
		}
	})
	return out
}

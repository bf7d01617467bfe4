// Package adherence answers the published measures of how a medication was taken.
//
// From fills (what was dispensed): CMA1 to CMA9, the proportion of days covered, gaps and treatment episodes. From openings (what
// a sensor in the lid or the blister counted): implementation day by day after correction, and from doses the EMERGE measures
// taking, correct dosing, timing, persistence and drug holidays.
//
// A measure that has no meaning for a person, such as an interval between fills where there was one fill, is NaN, never 0.
// The package is pure: values in, values out; its readers take an io.Reader.
//
// Sources. CMA: Vollmer WM et al. (2012), Measuring adherence with electronic medical record data, BMC Health Serv Res 12:155;
// Dima AL, Dediu D (2017), Computation of adherence to medication and visualization of medication histories in R with AdhereR,
// PLoS ONE 12(4):e0174426. Openings: Bandiera C et al. (2024), JMIR Form Res 8:e51013. Doses: Vrijens B et al. (2012), A new
// taxonomy for describing and defining adherence to medications, Br J Clin Pharmacol 73:691; De Geest S et al. (2018), EMERGE,
// Ann Intern Med 169:30.
package adherence

import (
	"cmp"
	"slices"

	"doorstep/internal/clock"
)

// Fill is one dispensing.
type Fill struct {
	On       clock.Day
	Days     float64 // of supply at the prescribed dose, above 0
	PerDay   float64 // prescribed daily dose; looked at only with Options.DoseChange
	Category string  // of medication; looked at only with Options.SameCategory and for episodes
}

// FollowUp is how long fills are looked at after the first when nothing else is said, in days: two years, as in AdhereR.
const FollowUp = 730

// Options say which days are looked at, counted from the person's first fill, and what becomes of supply that is left over.
type Options struct {
	// FollowUp is the length in days of the time for which all fills are known; fills after its last day are left out. 0 is
	// FollowUp, or more when the window ends later.
	FollowUp int
	Start    int // first day of the observation window, days after the first fill
	Length   int // of the observation window in days; 0: to the end of FollowUp
	// SameCategory carries supply over to fills of the same category only; else it is carried over to any next fill.
	SameCategory bool
	// DoseChange measures supply that is carried over in days of the next fill's dose. Where either dose is unknown (0), its days stay.
	DoseChange bool
}

// window answers follow-up's end and the observation window, in days after the first fill.
func (o Options) window() (end, from, to float64) {
	end, from = float64(o.FollowUp), float64(o.Start)
	if o.FollowUp == 0 {
		end = float64(max(FollowUp, o.Start+o.Length))
	}
	if to = from + float64(o.Length); o.Length == 0 {
		to = end
	}
	return end, from, to
}

// Origin is the earliest day among fills; the zero Day without any.
func Origin(fills []Fill) clock.Day {
	var first clock.Day
	for _, f := range fills {
		if first.IsZero() || f.On.Before(first) {
			first = f.On
		}
	}
	return first
}

// supply is a fill in days after the first one.
type supply struct {
	at, days, perDay float64
	category         string
}

// line answers the fills in the order of their days, those of one day in the order given, without those after follow-up's end.
func line(fills []Fill, end float64) []supply {
	first := Origin(fills)
	out := make([]supply, 0, len(fills))
	for _, f := range fills {
		if at := float64(f.On.Sub(first)); at <= end {
			out = append(out, supply{at, f.Days, f.PerDay, f.Category})
		}
	}
	slices.SortStableFunc(out, func(a, b supply) int { return cmp.Compare(a.at, b.at) })
	return out
}

// interval is what lies between a fill and the next one, or the end.
type interval struct {
	days  float64 // to the next fill
	gap   float64 // of these, days without supply: the last ones
	carry float64 // supply left over from before when the fill came
}

// intervals answers one for each fill. The last reaches to end. Supply of one fill is used before that of the next; with carry
// false, what is left over is lost.
func intervals(fills []supply, end float64, carry bool, o Options) []interval {
	out := make([]interval, len(fills))
	left := 0.0
	for i, f := range fills {
		next := end
		if i+1 < len(fills) {
			next = fills[i+1].at
		}
		out[i].days, out[i].carry = next-f.at, left
		spare := f.days + left - out[i].days
		out[i].gap = max(0, -spare)
		left = 0
		if !carry || spare <= 0 || i+1 == len(fills) {
			continue
		}
		if o.SameCategory && fills[i+1].category != f.category {
			continue
		}
		left = spare
		if o.DoseChange && f.perDay > 0 && fills[i+1].perDay > 0 {
			left *= f.perDay / fills[i+1].perDay
		}
	}
	return out
}

// Gap is a fill with what followed it.
type Gap struct {
	Fill
	Interval float64 // days to the next fill; of the last, to the end of the window
	Days     float64 // of the interval without supply
}

// Gaps answers the fills of follow-up up to the window's end in the order of their days, each with its gap. Supply is carried over.
func Gaps(fills []Fill, o Options) []Gap {
	end, _, to := o.window()
	s := line(fills, min(end, to))
	sorted := slices.Clone(fills)
	slices.SortStableFunc(sorted, func(a, b Fill) int { return a.On.Sub(b.On) })
	out := make([]Gap, len(s))
	for i, x := range intervals(s, to, true, o) {
		out[i] = Gap{sorted[i], x.days, x.gap}
	}
	return out
}

package web

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/reading/glucose"
	"doorstep/internal/reading/sample"
	"doorstep/internal/words"
)

// A sensor's glucose is shown as the ambulatory glucose profile (Danne T et al. 2017, Diabetes Care 40:1631): all days laid over
// each other, and how much of the time lay in each range.
const (
	sensorDays  = 14
	sensorLeast = 48 // readings that make a day a sensor's; finger checks never do
	sensorFew   = 3  // days below which there is no profile
	sensorStep  = 30 * time.Minute
)

// glucoseCodes are the series that a sensor may write, the likeliest first.
var glucoseCodes = []string{sample.TissueGlucose, sample.BloodGlucose, sample.BloodGlucoseMol}

// bar is a share of a whole: a piece of a stacked bar, and its words.
type bar struct {
	Class string
	Text  string
	Share int // of 100
}

// sensor shows two weeks of a glucose sensor. Without enough of them ok is false, and the series is shown as any other. code is the
// series that it stands for.
func (s *Server) sensor(ctx context.Context, p *page, had map[string]reading.Sample, goals map[reading.GoalKind]reading.Goal, charts bool) (f figure, code string, ok bool, err error) {
	for _, code = range glucoseCodes {
		latest, there := had[code]
		if !there || p.Now.Sub(latest.At) > sensorDays*24*time.Hour {
			continue
		}
		last := clock.DayOf(p.Now, p.Zone)
		samples, err := s.Reading.Samples(ctx, string(p.Org.ID), string(p.Patient.ID), code, clock.At(last.Add(1-sensorDays), 0, p.Zone), p.Now.Add(time.Minute))
		if err != nil {
			return f, "", false, err
		}
		readings := onTheWall(samples, p.Zone)
		perDay := map[clock.Day]int{}
		full := 0
		for _, r := range readings {
			d := clock.DayOf(r.At, time.UTC)
			if perDay[d]++; perDay[d] == sensorLeast {
				full++
			}
		}
		if full >= sensorFew {
			return p.profile(latest, readings, full, goals, charts), code, true, nil
		}
	}
	return f, "", false, nil
}

// onTheWall answers the glucose that can be believed in mg/dL, at the times that the person's clock showed, as if in UTC.
func onTheWall(samples []reading.Sample, zone *time.Location) []glucose.Reading {
	list := make([]glucose.Reading, 0, len(samples))
	for _, x := range samples {
		v, ok := sample.Convert(x.Value, x.Unit, "mg/dL")
		if !ok || x.Flags&(reading.Impossible|reading.TimeUnknown) != 0 {
			continue
		}
		at := x.At.In(zone)
		list = append(list, glucose.Reading{At: time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC), MgDL: v})
	}
	return list
}

func (p *page) profile(latest reading.Sample, readings []glucose.Reading, full int, goals map[reading.GoalKind]reading.Goal, charts bool) figure {
	decimals, per := 0, 1.0
	if latest.Unit == "mmol/L" {
		decimals = 1
		per, _ = sample.Convert(1, "mg/dL", "mmol/L")
	}
	num := func(mgDL float64) string { return p.Num(mgDL*per, decimals) }
	f := figure{Key: "sensor", Value: p.Num(latest.Value, decimals), Unit: unit(latest.Unit), At: latest.At, Unsure: p.doubt(latest.Flags), Kind: reading.InRangeGoal}
	sum := glucose.Summarize(readings)
	inRange := math.Round(sum.TIR)
	f.Say = p.Whose("numbers.range", "n", p.Num(inRange, 0), "low", num(glucose.Low), "high", num(glucose.High), "unit", f.Unit)
	if g, ok := goals[f.Kind]; ok {
		f.Goal = p.goal(p.T("numbers.range.goal", "n", p.Num(g.Value, 0)), g.Short(inRange), p.T("numbers.range.goal", "n", p.Num(g.Short(inRange), 0)))
	}
	f.Change = p.changedRange(readings)
	if !charts {
		return f
	}
	f.Bars = p.ranges(sum, num, f.Unit)
	f.Bar = stack(p.T("numbers.range.bar"), f.Bars)
	profile := glucose.AGP(readings, sensorStep, 0)
	f.Chart = p.agp(p.N("numbers.agp", full), profile, num)
	f.Note = p.T("numbers.agp.key")
	f.Heads = []string{p.T("numbers.time"), p.T("numbers.middle"), p.T("numbers.half"), p.T("numbers.most")}
	for _, x := range profile.Points {
		if x.AfterMidnight%(3*time.Hour) == 0 && !math.IsNaN(x.Q[2]) {
			f.Rows = append(f.Rows, []string{p.wall(x.AfterMidnight % (24 * time.Hour)), num(x.Q[2]), num(x.Q[1]) + "–" + num(x.Q[3]), num(x.Q[0]) + "–" + num(x.Q[4])})
		}
	}
	return f
}

// ranges answers the shares of the time in each range, which come to 100.
func (p *page) ranges(s glucose.Summary, num func(float64) string, unit string) []bar {
	kinds := []struct {
		class    string
		share    float64
		from, to float64
	}{
		{"high2", s.TAR250, glucose.VeryHigh, 0}, {"high1", s.TAR180 - s.TAR250, glucose.High, glucose.VeryHigh}, {"within", s.TIR, glucose.Low, glucose.High},
		{"low1", s.TBR70 - s.TBR54, glucose.VeryLow, glucose.Low}, {"low2", s.TBR54, 0, glucose.VeryLow},
	}
	list := make([]bar, len(kinds))
	left := 100
	for i, k := range kinds {
		list[i] = bar{Class: k.class, Share: int(k.share)}
		left -= list[i].Share
	}
	for ; left > 0; left-- { // what rounding took goes to those that lost most
		most := 0
		for i, k := range kinds {
			if k.share-float64(list[i].Share) > kinds[most].share-float64(list[most].Share) {
				most = i
			}
		}
		list[most].Share++
	}
	for i, k := range kinds {
		list[i].Text = p.T("numbers.range."+k.class, "n", p.Num(float64(list[i].Share), 0), "low", num(k.from), "high", num(k.to), "unit", unit)
	}
	return list
}

// stack draws shares as one bar, the lowest range at the left.
func stack(name string, bars []bar) string {
	const height, gap = 34.0, 2.0
	var b strings.Builder
	open(&b, drawWidth, height, name)
	x := 0.0
	for i := len(bars) - 1; i >= 0; i-- {
		w := drawWidth * float64(bars[i].Share) / 100
		if w > 0 {
			fmt.Fprintf(&b, `<rect class="share %s" x="%.1f" y="2" width="%.1f" height="%.0f" rx="2"/>`, bars[i].Class, x+gap/2, max(w-gap, 1), height-4)
		}
		x += w
	}
	b.WriteString("</svg>")
	return b.String()
}

// agp draws the profile: where nearly all and where half of the days lie, the middle, and the range that is aimed at.
func (p *page) agp(name string, profile glucose.Profile, num func(float64) string) string {
	const least, high = 40.0, 300.0
	most := high
	for _, x := range profile.Points {
		if x.Q[4] > most {
			most = min(x.Q[4], 420)
		}
	}
	y := func(v float64) float64 { return drawTop + drawnHeight*(most-min(max(v, least), most))/(most-least) }
	x := func(t time.Duration) float64 { return drawLeft + drawnWidth*float64(t)/float64(24*time.Hour) }
	var b strings.Builder
	open(&b, drawWidth, drawHeight, name)
	for _, run := range runs(profile.Points) {
		area := func(class string, low, high int) {
			fmt.Fprintf(&b, `<path class="%s" d="`, class)
			letter := "M"
			for _, pt := range run {
				fmt.Fprintf(&b, "%s%.0f %.0f", letter, x(pt.AfterMidnight), y(pt.Q[high]))
				letter = "L"
			}
			for i := len(run) - 1; i >= 0; i-- {
				fmt.Fprintf(&b, "L%.0f %.0f", x(run[i].AfterMidnight), y(run[i].Q[low]))
			}
			b.WriteString(`Z"/>`)
		}
		area("wide", 0, 4)
		area("half", 1, 3)
	}
	for _, v := range []float64{glucose.Low, glucose.High} {
		fmt.Fprintf(&b, `<path class="goal" d="M%.0f %.1fH%.0f"/>`, drawLeft, y(v), drawWidth-drawRight)
	}
	for _, v := range []float64{glucose.Low, glucose.High, glucose.VeryHigh} {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, drawLeft-6, y(v)+5, escape(num(v)))
	}
	for _, run := range runs(profile.Points) {
		b.WriteString(`<path class="curve" d="`)
		letter := "M"
		for _, pt := range run {
			fmt.Fprintf(&b, "%s%.0f %.0f", letter, x(pt.AfterMidnight), y(pt.Q[2]))
			letter = "L"
		}
		b.WriteString(`"/>`)
	}
	for at := 6 * time.Hour; at < 24*time.Hour; at += 6 * time.Hour {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`, x(at), drawHeight-6, escape(p.wall(at)))
	}
	b.WriteString("</svg>")
	return b.String()
}

// runs are the pieces of a profile without a hole. The last point is midnight, so the day begins with it.
func runs(points []glucose.Point) [][]glucose.Point {
	if len(points) == 0 {
		return nil
	}
	first := points[len(points)-1]
	first.AfterMidnight = 0
	var list [][]glucose.Point
	var run []glucose.Point
	for _, pt := range append([]glucose.Point{first}, points...) {
		if math.IsNaN(pt.Q[2]) {
			if len(run) > 1 {
				list = append(list, run)
			}
			run = nil
			continue
		}
		run = append(run, pt)
	}
	if len(run) > 1 {
		list = append(list, run)
	}
	return list
}

// wall writes a time of day.
func (p *page) wall(after time.Duration) string {
	return words.Time(p.Lang, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(after), time.UTC)
}

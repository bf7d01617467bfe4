package web

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Charts are SVG made here, drawn for a telephone's width and scaled up. Every chart stands beside a sentence and a table with
// the same facts, so to a screen reader it is one image with that sentence as its name.

const (
	drawWidth, drawHeight        = 360.0, 190.0
	drawLeft, drawRight          = 44.0, 8.0
	drawTop, drawBottom          = 10.0, 26.0
	drawnWidth                   = drawWidth - drawLeft - drawRight
	drawnHeight                  = drawHeight - drawTop - drawBottom
	cellSize, cellGap, cellStart = 36.0, 8.0, 30.0
)

// dot is one point of a chart: where it lies across (0 to 1) and up (in the unit). With Low and High it is a range.
type dot struct {
	X, Low, High float64
	Odd          bool // outside the person's own band
}

// plot is what a chart shows.
type plot struct {
	Name              string // what the image says
	Dots              []dot
	Ranges            bool    // each dot is a range from Low to High
	Lower             level   // of the lower ends of ranges
	BandLow, BandHigh float64 // the person's usual; equal: none
	Goal              float64 // 0: none
	Least, Most       float64 // are on the scale whatever there is; equal: nothing is
	XLabels           []label
	Format            func(float64) string
}

// level is what is usual for a person, and her goal.
type level struct {
	BandLow, BandHigh float64 // equal: none
	Goal              float64 // 0: none
}

type label struct {
	X    float64 // 0 to 1
	Text string
}

// draw answers the SVG of a plot.
func (c plot) draw() string {
	low, high := c.scale()
	y := func(v float64) float64 { return drawTop + drawnHeight*(high-v)/(high-low) }
	x := func(f float64) float64 { return drawLeft + drawnWidth*f }
	var b strings.Builder
	open(&b, drawWidth, drawHeight, c.Name)
	levels := []level{{c.BandLow, c.BandHigh, c.Goal}, c.Lower}
	for _, l := range levels {
		if l.BandHigh > l.BandLow {
			fmt.Fprintf(&b, `<rect class="band" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="4"/>`, drawLeft, y(l.BandHigh), drawnWidth, y(l.BandLow)-y(l.BandHigh))
		}
	}
	for _, v := range steps(low, high) {
		fmt.Fprintf(&b, `<path class="axis" d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			drawLeft, y(v), drawWidth-drawRight, drawLeft-6, y(v)+5, escape(c.Format(v)))
	}
	for _, l := range levels {
		if l.Goal != 0 {
			fmt.Fprintf(&b, `<path class="goal" d="M%.1f %.1fH%.1f"/>`, drawLeft, y(l.Goal), drawWidth-drawRight)
		}
	}
	c.dots(&b, x, y)
	for _, l := range c.XLabels {
		anchor := "middle"
		if l.X <= 0.08 {
			anchor = "start"
		} else if l.X >= 0.92 {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x(l.X), drawHeight-6, anchor, escape(l.Text))
	}
	b.WriteString("</svg>")
	return b.String()
}

func (c plot) dots(b *strings.Builder, x, y func(float64) float64) {
	if c.Ranges {
		for _, d := range c.Dots {
			class := "range"
			if d.Odd {
				class = "range odd"
			}
			fmt.Fprintf(b, `<path class="%s" d="M%.1f %.1fV%.1f"/>`, class, x(d.X), y(d.High), y(d.Low))
		}
		return
	}
	var path strings.Builder
	for i, d := range c.Dots {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", letter, x(d.X), y(d.High))
	}
	fmt.Fprintf(b, `<path class="curve" d="%s"/>`, path.String())
	for _, d := range c.Dots {
		if d.Odd { // a shape of its own, for those who see no colours
			fmt.Fprintf(b, `<path class="odd" d="M%.1f %.1fl7 7-7 7-7-7z"/>`, x(d.X), y(d.High)-7)
		} else {
			fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="4"/>`, x(d.X), y(d.High))
		}
	}
}

// scale answers the values between which everything lies, with a little air.
func (c plot) scale() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, d := range c.Dots {
		low, high = min(low, d.High), max(high, d.High)
		if c.Ranges {
			low = min(low, d.Low)
		}
	}
	if c.Lower.BandHigh > c.Lower.BandLow {
		low = min(low, c.Lower.BandLow)
	}
	if c.Lower.Goal != 0 {
		low = min(low, c.Lower.Goal)
	}
	if c.BandHigh > c.BandLow {
		low, high = min(low, c.BandLow), max(high, c.BandHigh)
	}
	if c.Goal != 0 {
		low, high = min(low, c.Goal), max(high, c.Goal)
	}
	if c.Most > c.Least {
		low, high = min(low, c.Least), max(high, c.Most)
	}
	air := max((high-low)*0.12, math.Abs(high)*0.004, 0.5)
	return low - air, high + air
}

// steps answers round values between low and high, two to four of them.
func steps(low, high float64) []float64 {
	raw := (high - low) / 4
	size := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if size*m >= raw {
			size *= m
			break
		}
	}
	var out []float64
	for v := math.Ceil(low/size) * size; v <= high; v += size {
		out = append(out, v)
	}
	return out
}

// calendar draws days as boxes, seven in a row from the weekday of the first: full, part, missed, or still to come.
func calendar(name string, heads []string, offset int, days []string) string {
	rows := (offset + len(days) + 6) / 7
	width := 7*(cellSize+cellGap) - cellGap
	height := cellStart + float64(rows)*(cellSize+cellGap)
	var b strings.Builder
	open(&b, width, height, name)
	for i, h := range heads {
		fmt.Fprintf(&b, `<text x="%.1f" y="18" text-anchor="middle">%s</text>`, float64(i)*(cellSize+cellGap)+cellSize/2, escape(h))
	}
	for i, kind := range days {
		at := offset + i
		x, y := float64(at%7)*(cellSize+cellGap), cellStart+float64(at/7)*(cellSize+cellGap)
		fmt.Fprintf(&b, `<rect class="cell %s" x="%.1f" y="%.1f" width="%.0f" height="%.0f" rx="9"/>`, kind, x+1, y+1, cellSize-2, cellSize-2)
		switch kind {
		case "taken":
			fmt.Fprintf(&b, `<path class="tick" d="M%.1f %.1fl5 5 10-11"/>`, x+10.5, y+18)
		case "part":
			fmt.Fprintf(&b, `<path class="range" d="M%.1f %.1fh12"/>`, x+12, y+18)
		case "missed":
			fmt.Fprintf(&b, `<path class="cross" d="M%.1f %.1fl10 10m0-10-10 10"/>`, x+13, y+13)
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

func open(b *strings.Builder, width, height float64, name string) {
	fmt.Fprintf(b, `<svg class="chart" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, width, height, escape(name))
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escape(s string) string { return escaper.Replace(s) }

// quantile answers the value below which a share q of the sorted values lies, between neighbours by proportion (type 7 of
// Hyndman and Fan 1996).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func median(values []float64) float64 {
	s := slices.Clone(values)
	slices.Sort(s)
	return quantile(s, 0.5)
}

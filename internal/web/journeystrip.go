package web

import (
	"fmt"
	"strconv"
	"strings"

	"doorstep/internal/clock"
)

// drawWeeks draws weeks as rows of seven days from a Monday on: a filled day is one with a trip, a dot is something at home, what is before today is faint.
func drawWeeks(name string, start, today clock.Day, ahead int, trips, things map[clock.Day]bool, weekday func(clock.Day) string) string {
	const cell, gap, top, left = 42.0, 5.0, 22.0, 2.0
	rows := (today.Sub(start) + ahead + 6) / 7
	width, height := left*2+7*cell+6*gap, top+float64(rows)*(cell+gap)
	var b strings.Builder
	open(&b, width, height, name)
	for c := range 7 {
		fmt.Fprintf(&b, `<text x="%g" y="14" text-anchor="middle" font-size="13">%s</text>`, left+float64(c)*(cell+gap)+cell/2, weekday(start.Add(c)))
	}
	for i := range rows * 7 {
		d := start.Add(i)
		if d.Before(today) || d.Sub(today) >= ahead {
			continue
		}
		x, y := left+float64(i%7)*(cell+gap), top+float64(i/7)*(cell+gap)
		class := "cell"
		if trips[d] {
			class = "cell taken"
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%g" y="%g" width="%g" height="%g" rx="8"></rect>`, class, x, y, cell, cell)
		number := "strip-day"
		if trips[d] {
			number = "strip-out"
		}
		fmt.Fprintf(&b, `<text class="%s" x="%g" y="%g" text-anchor="middle">%s</text>`, number, x+cell/2, y+cell/2+1, strconv.Itoa(d.Date))
		if things[d] {
			fmt.Fprintf(&b, `<circle class="%s" cx="%g" cy="%g" r="4"></circle>`, map[bool]string{true: "strip-dot out", false: "strip-dot"}[trips[d]], x+cell/2, y+cell-8)
		}
	}
	b.WriteString("</svg>")
	return b.String()
}

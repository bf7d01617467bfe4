package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"doorstep/internal/person"
)

// roadPicture is the day's stops and ways as a picture: north is up, one line a vehicle. The list beside it says the same in words.
type roadPicture struct {
	stops []pictured
}

type pictured struct {
	car  int
	mark string
	person.Point
}

const pictureSide = 360.0

// stop puts a stop on the picture and answers its mark: a letter for the vehicle, a number for the order.
func (p *roadPicture) stop(car int, at person.Point) string {
	n := 1
	for _, x := range p.stops {
		if x.car == car {
			n++
		}
	}
	mark := string(rune('A'+car%26)) + strconv.Itoa(n)
	p.stops = append(p.stops, pictured{car, mark, at})
	return mark
}

// draw answers the picture; empty when there is nothing to see. line answers the way between two points as it is driven.
func (p *roadPicture) draw(name string, line func(from, to person.Point) []person.Point) string {
	if len(p.stops) == 0 {
		return ""
	}
	low, high := p.stops[0].Point, p.stops[0].Point
	ways := map[int][]person.Point{}
	order := []int{}
	for _, x := range p.stops {
		way, begun := ways[x.car]
		if !begun {
			order = append(order, x.car)
			ways[x.car] = []person.Point{x.Point}
			continue
		}
		ways[x.car] = append(way, line(way[len(way)-1], x.Point)...)
	}
	for _, way := range ways {
		for _, q := range way {
			low.Lat, low.Lon, high.Lat, high.Lon = min(low.Lat, q.Lat), min(low.Lon, q.Lon), max(high.Lat, q.Lat), max(high.Lon, q.Lon)
		}
	}
	across := math.Cos(low.Lat * math.Pi / 180)
	span := max((high.Lon-low.Lon)*across, high.Lat-low.Lat, 0.002)
	at := func(q person.Point) (x, y float64) {
		return 24 + (pictureSide-48)*((q.Lon-low.Lon)*across/span), pictureSide - 24 - (pictureSide-48)*((q.Lat-low.Lat)/span)
	}
	var b strings.Builder
	open(&b, pictureSide, pictureSide, name)
	for _, car := range order {
		var points strings.Builder
		for _, q := range ways[car] {
			x, y := at(q)
			fmt.Fprintf(&points, "%.1f,%.1f ", x, y)
		}
		fmt.Fprintf(&b, `<polyline class="route r%d" points="%s"/>`, car%3, strings.TrimSpace(points.String()))
	}
	drawn := map[string]int{}
	for _, s := range p.stops {
		x, y := at(s.Point)
		spot := fmt.Sprintf("%.0f %.0f", x/8, y/8)
		if drawn[spot] < 3 { // a place that many are driven to is not written over and over
			fmt.Fprintf(&b, `<circle class="spot" cx="%.1f" cy="%.1f" r="4"/><text x="%.1f" y="%.1f">%s</text>`, x, y, min(x+6, pictureSide-24), y-4+11*float64(drawn[spot]), s.mark)
		}
		drawn[spot]++
	}
	b.WriteString("</svg>")
	return b.String()
}

package plan

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// bound knows what the needs that are still open burden at least. It looks away from the time of day: a stop can begin whenever its day allows it at
// all, and each leg is by the best of all means.
type bound struct {
	legs  [][]float64
	least []float64 // by the set of open needs, before anything of the day is begun
	days  []*dayBound
}

// dayBound is the same while an outing is under way on a day.
type dayBound struct {
	bits  []int // the needs that can be done on it
	stops [][]stop
	local []uint32 // the day's own sets of needs as sets of the search
	rest  []float64
}

type stop struct {
	place int
	cost  float64
}

// newBound works the bounds out: what each set of stops costs as one outing on a day that has them all, then the cheapest outings that meet a
// set of needs, then what is left from each place of an outing.
func (x *search) newBound() *bound {
	b := &bound{legs: x.bestLegs()}
	n := len(x.chosen)
	home := slices.Clone(x.home)
	outing := make([]float64, 1<<n)
	for set := range outing {
		outing[set] = math.Inf(1)
	}
	known := map[string]*dayBound{}
	for _, options := range x.options {
		d := newDayBound(options, n)
		for _, o := range options {
			if o.place == Home {
				home[o.need] = min(home[o.need], o.cost)
			}
		}
		if same, ok := known[d.key()]; ok {
			b.days = append(b.days, same)
			continue
		}
		known[d.key()] = d
		b.days = append(b.days, d)
		d.outings(b.legs, x.Outing, x.back, x.stops, outing)
	}
	b.least = cheapest(home, outing)
	for _, d := range known {
		d.onward(b, x.back)
	}
	return b
}

// bestLegs answers the least burden from place to place.
func (x *search) bestLegs() [][]float64 {
	legs := make([][]float64, max(len(x.back), 1))
	for from := range legs {
		legs[from] = make([]float64, len(legs))
		for to := range legs[from] {
			legs[from][to] = math.Inf(1)
			for _, t := range x.Travel {
				if l := t.Legs[from][to]; !l.No {
					legs[from][to] = min(legs[from][to], l.Cost)
				}
			}
		}
	}
	return legs
}

func newDayBound(options []option, n int) *dayBound {
	at := make([]int, n)
	d := &dayBound{}
	for _, o := range options {
		if at[o.need] == 0 {
			d.bits, d.stops = append(d.bits, o.need), append(d.stops, nil)
			at[o.need] = len(d.bits)
		}
		if o.place == Home {
			continue
		}
		list := &d.stops[at[o.need]-1]
		if i := slices.IndexFunc(*list, func(s stop) bool { return s.place == o.place }); i >= 0 {
			(*list)[i].cost = min((*list)[i].cost, o.cost)
		} else {
			*list = append(*list, stop{o.place, o.cost})
		}
	}
	d.local = make([]uint32, 1<<len(d.bits))
	for set := 1; set < len(d.local); set++ {
		d.local[set] = d.local[set&(set-1)] | 1<<d.bits[bits.TrailingZeros(uint(set))]
	}
	return d
}

func (d *dayBound) key() string {
	var b []byte
	for i, bit := range d.bits {
		b = binary.AppendUvarint(b, uint64(bit))
		for _, s := range d.stops[i] {
			b = binary.AppendUvarint(b, uint64(s.place)<<1|1)
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.cost))
		}
		b = append(b, 0)
	}
	return string(b)
}

// outings lowers what each set costs as one outing of this day.
func (d *dayBound) outings(legs [][]float64, out float64, back []float64, most int, outing []float64) {
	places := len(legs)
	reach := make([]float64, places<<len(d.bits)) // by set and the place come to
	for i := range reach {
		reach[i] = math.Inf(1)
	}
	reach[Home] = out
	for set := range d.local {
		row := reach[set*places : (set+1)*places]
		for p := 1; p < places; p++ {
			outing[d.local[set]] = min(outing[d.local[set]], row[p]+back[p])
		}
		if bits.OnesCount(uint(set)) >= most {
			continue
		}
		for i, stops := range d.stops {
			if set>>i&1 != 0 {
				continue
			}
			next := reach[(set|1<<i)*places:]
			for _, s := range stops {
				for p, cost := range row {
					if c := cost + legs[p][s.place] + s.cost; c < next[s.place] {
						next[s.place] = c
					}
				}
			}
		}
	}
}

// cheapest answers for each set the cheapest way to meet it, at home or on outings.
func cheapest(home, outing []float64) []float64 {
	out := make([]float64, len(outing))
	for set := 1; set < len(out); set++ {
		low := set & -set
		rest := set &^ low
		best := home[bits.TrailingZeros(uint(low))] + out[rest]
		for sub := rest; ; sub = (sub - 1) & rest {
			best = min(best, outing[sub|low]+out[rest&^sub])
			if sub == 0 {
				break
			}
		}
		out[set] = best
	}
	return out
}

// onward works out what is left from each place of an outing, by the set of the day's needs that are open; all the others are.
func (d *dayBound) onward(b *bound, back []float64) {
	places := len(b.legs)
	d.rest = make([]float64, places<<len(d.bits))
	others := uint32(len(b.least)-1) &^ d.local[len(d.local)-1]
	for set, global := range d.local {
		row := d.rest[set*places : (set+1)*places]
		row[Home] = b.least[global|others]
		for p := 1; p < places; p++ {
			row[p] = back[p] + row[Home]
		}
		for i, stops := range d.stops {
			if set>>i&1 == 0 {
				continue
			}
			then := d.rest[(set&^(1<<i))*places:]
			for _, s := range stops {
				c := s.cost + then[s.place]
				for p := 1; p < places; p++ {
					row[p] = min(row[p], b.legs[p][s.place]+c)
				}
			}
		}
	}
}

// left answers what is left at least once a set of the search's needs is done and an outing has come to a place.
func (d *dayBound) left(done uint32, place int) float64 {
	set := 0
	for i, bit := range d.bits {
		set |= int(^done>>bit&1) << i
	}
	return d.rest[set*(len(d.rest)>>len(d.bits))+place]
}

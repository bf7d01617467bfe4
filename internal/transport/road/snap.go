package road

import (
	"math"

	"doorstep/internal/person"
)

// cellMeters is the side of a cell of the grid.
const cellMeters = 250

// grid finds the streets near a place.
type grid struct {
	south, west float64 // degrees
	lat, lon    float64 // degrees of a cell
	rows, cols  int
	first       []int32
	edges       []int32
}

func newGrid(g *Graph) *grid {
	low, high := point{math.MaxInt32, math.MaxInt32}, point{math.MinInt32, math.MinInt32}
	for _, p := range g.shape {
		low = point{min(low.lat, p.lat), min(low.lon, p.lon)}
		high = point{max(high.lat, p.lat), max(high.lon, p.lon)}
	}
	a, b := low.person(), high.person()
	r := &grid{south: a.Lat, west: a.Lon, lat: cellMeters / 111195.08}
	r.lon = r.lat / max(0.01, math.Cos((a.Lat+b.Lat)/2*math.Pi/180))
	r.rows, r.cols = int((b.Lat-a.Lat)/r.lat)+1, int((b.Lon-a.Lon)/r.lon)+1
	for r.rows*r.cols > 16<<20 { // an extract that spans a continent
		r.lat, r.lon = 2*r.lat, 2*r.lon
		r.rows, r.cols = int((b.Lat-a.Lat)/r.lat)+1, int((b.Lon-a.Lon)/r.lon)+1
	}
	r.first = make([]int32, r.rows*r.cols+1)
	r.each(g, func(cell int, _ int32) { r.first[cell+1]++ })
	for c := range r.rows * r.cols {
		r.first[c+1] += r.first[c]
	}
	r.edges = make([]int32, r.first[r.rows*r.cols])
	at := make([]int32, r.rows*r.cols)
	copy(at, r.first)
	r.each(g, func(cell int, e int32) {
		r.edges[at[cell]] = e
		at[cell]++
	})
	return r
}

// each goes through the cells that the segments of usable edges touch, a cell of an edge once in a row.
func (r *grid) each(g *Graph, do func(cell int, edge int32)) {
	var cells []int
	for i := range g.edges {
		e := &g.edges[i]
		if e.along == none && e.against == none {
			continue
		}
		cells = cells[:0]
		shape := g.shape[e.first : e.first+e.points]
		for k := 1; k < len(shape); k++ {
			r0, c0 := r.cell(shape[k-1].person())
			r1, c1 := r.cell(shape[k].person())
			for row := min(r0, r1); row <= max(r0, r1); row++ {
				for col := min(c0, c1); col <= max(c0, c1); col++ {
					cells = append(cells, row*r.cols+col)
				}
			}
		}
		last := -1
		for _, c := range cells {
			if c != last {
				do(c, int32(i))
			}
			last = c
		}
	}
}

func (r *grid) cell(p person.Point) (row, col int) {
	return clamp(int(math.Floor((p.Lat-r.south)/r.lat)), r.rows), clamp(int(math.Floor((p.Lon-r.west)/r.lon)), r.cols)
}

func clamp(i, n int) int { return max(0, min(i, n-1)) }

// Snap puts a place on the nearest street, if there is one within Reach.
func (g *Graph) Snap(p person.Point) Snap {
	r := g.grid
	row, col := int(math.Floor((p.Lat-r.south)/r.lat)), int(math.Floor((p.Lon-r.west)/r.lon))
	best := Snap{Off: Reach}
	side := r.lat * 111195.08
	for ring := 0; float64(ring-1)*side*0.9 < best.Off; ring++ { // 0.9: cells are narrower towards the pole
		for y := row - ring; y <= row+ring; y++ {
			step := 1
			if ring > 0 && y != row-ring && y != row+ring {
				step = 2 * ring
			}
			for x := col - ring; x <= col+ring; x += step {
				if y < 0 || y >= r.rows || x < 0 || x >= r.cols {
					continue
				}
				c := y*r.cols + x
				for _, e := range r.edges[r.first[c]:r.first[c+1]] {
					g.nearer(&best, p, e)
				}
			}
		}
	}
	return best
}

// nearer puts a place on an edge if that is nearer than the best so far.
func (g *Graph) nearer(best *Snap, p person.Point, id int32) {
	e := &g.edges[id]
	shape := g.shape[e.first : e.first+e.points]
	cos := math.Cos(p.Lat * math.Pi / 180)
	const perDegree = 111195.08
	xy := func(q point) (x, y float64) {
		return (float64(q.lon)*1e-7 - p.Lon) * cos * perDegree, (float64(q.lat)*1e-7 - p.Lat) * perDegree
	}
	gone := 0.0
	x0, y0 := xy(shape[0])
	for k := 1; k < len(shape); k++ {
		x1, y1 := xy(shape[k])
		dx, dy := x1-x0, y1-y0
		part := 0.0
		if l := dx*dx + dy*dy; l > 0 {
			part = max(0, min(1, -(x0*dx+y0*dy)/l))
		}
		length := meters(shape[k-1], shape[k])
		if off := math.Hypot(x0+part*dx, y0+part*dy); off < best.Off {
			at := 0.0
			if e.meters > 0 {
				at = min(1, (gone+part*length)/float64(e.meters))
			}
			a, b := shape[k-1].person(), shape[k].person()
			*best = Snap{Point: person.Point{Lat: a.Lat + (b.Lat-a.Lat)*part, Lon: a.Lon + (b.Lon-a.Lon)*part}, Off: off, Known: true, edge: id, at: float32(at)}
		}
		gone += length
		x0, y0 = x1, y1
	}
}

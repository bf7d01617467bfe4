// Package instance reads the published benchmark formats of vehicle routing into problems: Cordeau's dial-a-ride files, Li & Lim's pickup and
// delivery, Solomon's (and Gehring & Homberger's) vehicle routing with time windows, and home health care with double visits in JSON.
// A file that is wrong is refused by the number of its line (or the path of the JSON value), and nothing of it is used.
package instance

import (
	"bufio"
	"io"
	"math"
	"strconv"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/transport/routing"
)

// Instance is a problem with the numbers that its file has for the places.
type Instance struct {
	Problem routing.Problem
	Nodes   [][2]int // by request and stop
	// Vehicles says that published values of the format count vehicles before distance.
	Vehicles bool
}

// Formats are the names that Read knows.
var Formats = []string{"lilim", "solomon", "cordeau", "hhcrsp"}

// Bounds of a file. Matrices grow with the square of the places.
const (
	maxFile  = 16 << 20
	maxNodes = 2500
)

// Read reads an instance of a format of Formats.
func Read(format string, in io.Reader) (*Instance, error) {
	var read func(io.Reader) (*Instance, error)
	switch format {
	case "lilim":
		read = readLiLim
	case "solomon":
		read = readSolomon
	case "cordeau":
		read = readCordeau
	case "hhcrsp":
		read = readHHCRSP
	default:
		return nil, fault.Invalidf("there is no format %q (want %s)", format, strings.Join(Formats, ", "))
	}
	i, err := read(in)
	if err != nil {
		return nil, err
	}
	if err := i.Problem.Validate(); err != nil {
		return nil, err
	}
	return i, nil
}

// row is a line of numbers.
type row struct {
	line   int
	values []float64
}

func (r row) wrong(format string, args ...any) error {
	return fault.Invalidf("line %d: "+format, append([]any{r.line}, args...)...)
}

// whole answers column k as a whole number from low to high.
func (r row) whole(k int, name string, low, high int) (int, error) {
	v := r.values[k]
	if v != math.Trunc(v) || v < float64(low) || v > float64(high) {
		return 0, r.wrong("%s is %v (want a whole number from %d to %d)", name, v, low, high)
	}
	return int(v), nil
}

// rows reads the lines of a table that are not empty; text reports whether a line is one of words, which is passed over.
func rows(in io.Reader, text func(n int, line string) bool) ([]row, error) {
	var out []row
	limited := &io.LimitedReader{R: in, N: maxFile + 1}
	lines := bufio.NewScanner(limited)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || text(n, line) {
			continue
		}
		fields := strings.Fields(line)
		r := row{line: n, values: make([]float64, len(fields))}
		for i, f := range fields {
			v, err := strconv.ParseFloat(f, 64)
			if err != nil || math.IsNaN(v) || math.Abs(v) > 1e9 {
				return nil, r.wrong("%q is not a number", short(f))
			}
			r.values[i] = v
		}
		if len(out) > maxNodes+1 {
			return nil, r.wrong("there are more than %d nodes", maxNodes)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fault.New(fault.Invalid, "a line cannot be read: %w", err)
	}
	if limited.N == 0 {
		return nil, fault.New(fault.TooMuch, "the file is larger than %d MB", maxFile>>20)
	}
	return out, nil
}

func short(s string) string {
	if r := []rune(s); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return s
}

// point is a node of a table: number, place, service, window.
type point struct {
	x, y, service float64
	window        routing.Window
}

// points checks what all tables have in common: nodes numbered from 0 and windows that end after they begin. Columns: of x, service, from and to.
func points(list []row, columns, x, service, from, to int) ([]point, error) {
	out := make([]point, len(list))
	for i, r := range list {
		switch {
		case len(r.values) != columns:
			return nil, r.wrong("%d numbers (want %d)", len(r.values), columns)
		case r.values[0] != float64(i):
			return nil, r.wrong("the node is numbered %v (want %d: they are numbered from 0, in order)", r.values[0], i)
		case r.values[service] < 0:
			return nil, r.wrong("the service time is %v (want 0 or more)", r.values[service])
		case r.values[from] > r.values[to]:
			return nil, r.wrong("the window ends at %v, before it begins at %v", r.values[to], r.values[from])
		}
		out[i] = point{r.values[x], r.values[x+1], r.values[service], routing.Window{From: r.values[from], To: r.values[to]}}
	}
	return out, nil
}

// plane answers the distances between points.
func plane(list []point) *routing.Matrix {
	x, y := make([]float64, len(list)), make([]float64, len(list))
	for i, p := range list {
		x[i], y[i] = p.x, p.y
	}
	return routing.Euclidean(x, y)
}

// stop answers a node as a stop at its own place.
func (p point) stop(node int) routing.Stop {
	return routing.Stop{Place: node, Window: p.window, Service: p.service}
}

// fleet answers alike vehicles at the depot, node 0.
func fleet(count, capacity, kind int, depot point, duration float64) []routing.Vehicle {
	out := make([]routing.Vehicle, count)
	for i := range out {
		var c routing.Load
		c[kind] = capacity
		out[i] = routing.Vehicle{ID: strconv.Itoa(i + 1), Shift: depot.window, MaxDuration: duration, Capacity: []routing.Load{c}}
	}
	return out
}

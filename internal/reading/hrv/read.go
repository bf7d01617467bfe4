package hrv

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"doorstep/internal/table"
)

// Limits of what can be an interval between beats, in ms. The upper one leaves room for a lead that was off for minutes.
const (
	shortest = 1
	longest  = 600_000
)

// Read reads intervals, one a line, empty lines between, and answers them in ms: the number times scale, 1 for ms and 1000 for
// s. What is no interval is a *table.Error with its line.
func Read(r io.Reader, scale float64) ([]float64, error) {
	var out []float64
	in := bufio.NewScanner(r)
	line := 0
	for in.Scan() {
		line++
		text := strings.TrimSpace(in.Text())
		if line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &table.Error{Line: line, Reason: fmt.Sprintf("%.40q is not a number", text)}
		}
		if v *= scale; v < shortest || v > longest {
			return nil, &table.Error{Line: line, Reason: fmt.Sprintf("%v ms is no interval between beats (is the unit right?)", v)}
		}
		out = append(out, v)
	}
	if err := in.Err(); err == bufio.ErrTooLong {
		return nil, &table.Error{Line: line + 1, Reason: "the line is too long: one interval a line is wanted"}
	} else if err != nil {
		return nil, err
	}
	return out, nil
}

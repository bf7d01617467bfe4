package reading

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/reading/series"
)

// Figure is one measured number: its name, unit, engine (a database, or what was measured) and over how many things.
type Figure = struct {
	Name   string
	Value  float64
	Unit   string
	Engine string
	N      int
}

// benchChunk is Prometheus' own chunk length, so that both are measured alike.
const benchChunk = 120

// BenchSeries packs the sample files under dir (cgm/, rr/, fit/) and answers bytes per sample of our chunks beside those of
// Prometheus' XOR chunks, per kind of stream, both in chunks of 120 samples, and ours in chunks of 3,600.
func BenchSeries(dir string) ([]Figure, error) {
	var out []Figure
	for _, kind := range []string{"cgm", "rr", "hr"} {
		streams, err := benchStreams(dir, kind)
		if err != nil {
			return nil, err
		}
		var n, ours, long, theirs int
		for _, points := range streams {
			n += len(points)
			if ours, err = addPacked(ours, points, benchChunk); err != nil {
				return nil, err
			}
			if long, err = addPacked(long, points, 30*benchChunk); err != nil {
				return nil, err
			}
			theirs = addXOR(theirs, points)
		}
		if n == 0 {
			return nil, fmt.Errorf("no %s samples under %s", kind, dir)
		}
		per := func(name string, bytes int) {
			out = append(out, Figure{name, float64(bytes) / float64(n), "B/sample", kind, n})
		}
		per("series.bytes", ours)
		per("series.bytes.3600", long)
		per("series.bytes.limit", theirs)
	}
	return out, nil
}

func addPacked(sum int, points []series.Point, size int) (int, error) {
	for len(points) > 0 {
		n := min(size, len(points))
		chunk, err := series.Encode(points[:n])
		if err != nil {
			return 0, err
		}
		sum += len(chunk)
		points = points[n:]
	}
	return sum, nil
}

func addXOR(sum int, points []series.Point) int {
	for len(points) > 0 {
		n := min(benchChunk, len(points))
		sum += xorBytes(points[:n])
		points = points[n:]
	}
	return sum
}

// benchStreams reads the sample files of a kind: glucose as exported, RR intervals laid end to end, heart rate from FIT
// records, and the rate at each full second of the long RR recordings.
func benchStreams(dir, kind string) ([][]series.Point, error) {
	patterns := map[string][]string{"cgm": {"cgm/dexcom*", "cgm/iglu_example*", "cgm/libreview*"}, "rr": {"rr/*_ms.txt", "rr/*_rr_s.txt"},
		"hr": {"fit/*-records.csv", "rr/physionet*"}}
	var out [][]series.Point
	for _, pattern := range patterns[kind] {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			var points []series.Point
			switch {
			case strings.HasSuffix(name, ".txt"):
				if points, err = benchRR(name); err == nil && kind == "hr" {
					points = everySecond(points)
				}
			default:
				points, err = benchTable(name)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
			}
			if len(points) > 0 {
				out = append(out, points)
			}
		}
	}
	return out, nil
}

// benchRR reads one interval per line, ms or s by the file's name, each timed at its end.
func benchRR(name string) ([]series.Point, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unit := 1.0
	if strings.HasSuffix(name, "_s.txt") {
		unit = 1000
	}
	var out []series.Point
	at := 1_700_000_000_000.0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		at += v * unit
		out = append(out, series.Point{T: int64(math.Round(at)), V: v})
	}
	return out, nil
}

// everySecond turns RR intervals into the whole beats per minute that a watch would tell once a second.
func everySecond(rr []series.Point) []series.Point {
	var out []series.Point
	unit := 1.0
	if len(rr) > 1 && rr[1].V < 20 {
		unit = 1000
	}
	second := rr[0].T / 1000 * 1000
	for _, p := range rr {
		if p.V <= 0 {
			continue
		}
		for ; second <= p.T && len(out) < 100_000; second += 1000 {
			out = append(out, series.Point{T: second, V: math.Round(60000 / (p.V * unit))})
		}
	}
	return out
}

var benchTimes = []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "02-01-2006 15:04", "01-02-2006 03:04 PM", "Mon Jan 2 15:04:05 MST 2006"}

// benchTable reads the first column that is a time and the first that is named for glucose or heart rate.
func benchTable(name string) ([]series.Point, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	timeCol, valueCol := -1, -1
	var out []series.Point
	for _, row := range rows {
		if timeCol < 0 {
			timeCol, valueCol = benchHeader(row)
			continue
		}
		if max(timeCol, valueCol) >= len(row) {
			continue
		}
		v, err := strconv.ParseFloat(row[valueCol], 64)
		if err != nil {
			continue
		}
		if at, ok := benchTime(row[timeCol]); ok {
			out = append(out, series.Point{T: at, V: v})
		}
	}
	return out, nil
}

func benchHeader(row []string) (timeCol, valueCol int) {
	timeCol, valueCol = -1, -1
	for i, cell := range row {
		cell = strings.ToLower(cell)
		if timeCol < 0 && (strings.Contains(cell, "timestamp") || cell == "time") {
			timeCol = i
		}
		if valueCol < 0 && (cell == "gl" || strings.Contains(cell, "glucose value") || strings.Contains(cell, "historic glucose") ||
			strings.Contains(cell, "heart")) {
			valueCol = i
		}
	}
	if timeCol < 0 || valueCol < 0 {
		return -1, -1
	}
	return timeCol, valueCol
}

func benchTime(cell string) (ms int64, ok bool) {
	if s, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return s * 1000, true
	}
	for _, layout := range benchTimes {
		if t, err := time.Parse(layout, cell); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// Package table reads tables from CSV files whose columns are found by name, row by row, and says of whatever it refuses in
// which line it stands and why. It keeps one row in memory. The package is pure: an io.Reader in, values out.
//
// A byte order mark is skipped, the separator (comma, semicolon or tab) is taken from the header, names are matched without
// regard to case and surrounding spaces, further columns are left alone.
package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Error is why a line was refused.
type Error struct {
	Line   int // from 1, as an editor counts
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Reader reads the rows below a header.
type Reader struct {
	csv   *csv.Reader
	names []string
	at    []int // of each wanted column, its place in a row; -1 when it is optional and absent
	row   []string
	line  int
	comma bool // a decimal comma may stand in numbers, because fields are separated by something else
}

// maxHeader is how many bytes of the first line are looked at to find the separator.
const maxHeader = 64 << 10

// New reads the header and finds the columns in it; those whose name ends in "?" may be absent. An absent one is named in the
// error, with the columns that there are. An empty file is an error, a header without rows is not.
func New(r io.Reader, columns ...string) (*Reader, error) {
	in := bufio.NewReaderSize(r, maxHeader)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := in.Discard(3); err != nil {
			return nil, err
		}
	}
	t := &Reader{csv: csv.NewReader(in), at: make([]int, len(columns)), names: make([]string, len(columns))}
	t.csv.Comma = Separator(in)
	t.comma = t.csv.Comma != ','
	t.csv.FieldsPerRecord = -1
	t.csv.ReuseRecord = true
	header, err := t.csv.Read()
	if err == io.EOF {
		return nil, &Error{1, "the file is empty, a header is wanted: " + strings.Join(columns, ",")}
	}
	if err != nil {
		return nil, t.refused(err)
	}
	for i, name := range columns {
		name, optional := strings.CutSuffix(name, "?")
		t.names[i], t.at[i] = name, -1
		for k, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				t.at[i] = k
				break
			}
		}
		if t.at[i] < 0 && !optional {
			return nil, &Error{1, fmt.Sprintf("the header has no column %s, it has %s", name, clip(strings.Join(header, ",")))}
		}
	}
	return t, nil
}

// Separator answers what stands most often in the first line, of comma, semicolon and tab, without reading on.
func Separator(in *bufio.Reader) rune {
	first, _ := in.Peek(maxHeader)
	if end := bytes.IndexByte(first, '\n'); end >= 0 {
		first = first[:end]
	}
	best, most := ',', bytes.Count(first, []byte{','})
	for _, c := range []byte{';', '\t'} {
		if n := bytes.Count(first, []byte{c}); n > most {
			best, most = rune(c), n
		}
	}
	return best
}

// clip shortens what a file holds so that it fits into a message of one line.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// refused turns what encoding/csv says into an Error; errors of the reader below pass.
func (t *Reader) refused(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return &Error{p.Line, p.Err.Error()}
	}
	return err
}

// Next goes to the next row; io.EOF after the last. A row that ends before a wanted column is an error.
func (t *Reader) Next() error {
	row, err := t.csv.Read()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return t.refused(err)
	}
	t.row = row
	t.line, _ = t.csv.FieldPos(0)
	for i, k := range t.at {
		if k >= len(row) {
			return t.Errorf("there are %d fields, column %s is the %d.", len(row), t.names[i], k+1)
		}
	}
	return nil
}

// Line answers the line in which the row begins.
func (t *Reader) Line() int { return t.line }

// Text answers the row's field of the i-th wanted column without surrounding spaces, "" where an optional column is absent. It
// is a part of the reader's buffer: strings.Clone what is to be kept for long.
func (t *Reader) Text(i int) string {
	if t.at[i] < 0 {
		return ""
	}
	return strings.TrimSpace(t.row[t.at[i]])
}

// Empty reports whether the field holds nothing; "NA" is how R writes nothing.
func (t *Reader) Empty(i int) bool {
	s := t.Text(i)
	return s == "" || s == "NA"
}

// Number answers the field as a finite number.
func (t *Reader) Number(i int) (float64, error) {
	s := t.Text(i)
	if t.comma {
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, t.Errorf("%s %q is not a number", t.names[i], clip(t.Text(i)))
	}
	return v, nil
}

// Errorf answers an Error about the row.
func (t *Reader) Errorf(format string, args ...any) error {
	return &Error{t.line, fmt.Sprintf(format, args...)}
}

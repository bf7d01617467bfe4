package glucose

import (
	"io"
	"strings"

	"doorstep/internal/table"
)

// Person is someone's readings, in the order of the file.
type Person struct {
	ID       string
	Readings []Reading
}

// Read reads CSV with the columns id, time (YYYY-MM-DD hh:mm:ss) and gl (mg/dL) and answers the people in the order in which they
// first appear; their rows may stand anywhere. A row whose gl is empty or NA is no reading. What cannot be read is a *table.Error
// with its line.
func Read(r io.Reader) ([]Person, error) {
	t, err := table.New(r, "id", "time", "gl")
	if err != nil {
		return nil, err
	}
	var out []Person
	index := map[string]int{}
	for {
		if err := t.Next(); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		at, _, err := t.Moment(1)
		if err != nil {
			return nil, err
		}
		k, known := index[t.Text(0)]
		if !known {
			id := strings.Clone(t.Text(0))
			k = len(out)
			index[id] = k
			out = append(out, Person{ID: id})
		}
		if t.Empty(2) {
			continue
		}
		v, err := t.Number(2)
		if err != nil {
			return nil, err
		}
		if v <= 0 || v > 2000 {
			return nil, t.Errorf("gl %v mg/dL cannot be", v)
		}
		out[k].Readings = append(out[k].Readings, Reading{at, v})
	}
}

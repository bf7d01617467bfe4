package adherence

import (
	"io"
	"slices"
	"strings"

	"doorstep/internal/table"
)

// People are the fills of many people.
type People struct {
	ids   []string
	from  []int // of each person, where the fills begin; one more at the end
	fills []Fill
}

// Len answers how many people there are.
func (p *People) Len() int { return len(p.ids) }

// At answers the i-th person, counted in the order in which they first appear, with the fills in the order of the file.
func (p *People) At(i int) (id string, fills []Fill) {
	return p.ids[i], p.fills[p.from[i]:p.from[i+1]]
}

// ReadFills reads fills from CSV with the columns PATIENT_ID, DATE, PERDAY, CATEGORY and DURATION (days). The rows may stand in
// any order. PERDAY may be empty and is then 0. What cannot be read is a *table.Error with its line.
func ReadFills(r io.Reader) (*People, error) {
	t, err := table.New(r, "PATIENT_ID", "DATE", "PERDAY", "CATEGORY", "DURATION")
	if err != nil {
		return nil, err
	}
	type row struct {
		Fill
		person int
	}
	var list []row
	index := map[string]int{}
	p := &People{}
	categories := map[string]string{}
	var counts []int
	for {
		if err := t.Next(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		id := t.Text(0)
		if id == "" {
			return nil, t.Errorf("PATIENT_ID is empty")
		}
		f, err := readFill(t, categories)
		if err != nil {
			return nil, err
		}
		k, known := index[id]
		if !known {
			k = len(p.ids)
			id = strings.Clone(id)
			index[id] = k
			p.ids = append(p.ids, id)
			counts = append(counts, 0)
		}
		counts[k]++
		list = append(list, row{f, k})
	}
	p.from = make([]int, len(p.ids)+1)
	for i, n := range counts {
		p.from[i+1] = p.from[i] + n
	}
	p.fills = make([]Fill, len(list))
	next := slices.Clone(p.from)
	for _, r := range list {
		p.fills[next[r.person]] = r.Fill
		next[r.person]++
	}
	return p, nil
}

func readFill(t *table.Reader, categories map[string]string) (f Fill, err error) {
	if f.On, err = t.Day(1); err != nil {
		return f, err
	}
	if !t.Empty(2) {
		if f.PerDay, err = t.Number(2); err != nil {
			return f, err
		}
		if f.PerDay < 0 {
			return f, t.Errorf("PERDAY %v is below 0", f.PerDay)
		}
	}
	category, known := categories[t.Text(3)]
	if !known {
		category = strings.Clone(t.Text(3))
		categories[category] = category
	}
	f.Category = category
	if f.Days, err = t.Number(4); err != nil {
		return f, err
	}
	if f.Days <= 0 {
		return f, t.Errorf("DURATION %v is not above 0", f.Days)
	}
	return f, nil
}

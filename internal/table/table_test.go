package table

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, want string }{
		{"plain", "a,b\n1,x\n2,y\n", "1 x|2 y"},
		{"mark, other order, other case, further columns", "\xef\xbb\xbfc,B, A\r\n0,x,1\r\n", "1 x0"},
		{"semicolons and decimal commas", "a;b\n1,5;x\n", "1.5 x"},
		{"quotes and empty lines", "\"a\",\"b\"\n\n\"1\",\"x,y\"\n", "1 x,y"},
		{"no rows", "a,b\n", ""},
		{"empty", "", "line 1: the file is empty, a header is wanted: a,b,c?"},
		{"a wrong header", "a,q\n", "line 1: the header has no column b, it has a,q"},
		{"a short row", "a,b\n1\n", "line 2: there are 1 fields, column b is the 2."},
		{"no number", "a,b\n1,x\n\nzwei,y\n", `line 4: a "zwei" is not a number`},
		{"not finite", "a,b\nNaN,x\n", `line 2: a "NaN" is not a number`},
		{"an open quote", "a,b\n1,\"x\n", `line 2: extraneous or missing " in quoted-field`},
	} {
		r, err := New(strings.NewReader(c.file), "a", "b", "c?")
		var got []string
		for err == nil {
			if err = r.Next(); err != nil {
				break
			}
			var v float64
			if v, err = r.Number(0); err == nil {
				got = append(got, strings.TrimRight(strings.TrimRight(time.Duration(v*float64(time.Second)).String(), "s"), " ")+" "+r.Text(1)+r.Text(2))
			}
		}
		if text := strings.Join(got, "|"); err == io.EOF && text != c.want || err != io.EOF && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: %q %v, want %q", c.name, text, err, c.want)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"2024-02-29", "2024-02-29T00:00:00Z dated"},
		{"02/29/2024", "2024-02-29T00:00:00Z dated"},
		{"2/9/2024", "2024-02-09T00:00:00Z dated"},
		{"29.02.2024 07:05", "2024-02-29T07:05:00Z"},
		{"2024-02-29 23:59:59", "2024-02-29T23:59:59Z"},
		{"2024-02-29T23:59:59.5", "2024-02-29T23:59:59.5Z"},
		{"2024-02-29T03:00:00+02:00", "2024-02-29T03:00:00Z"},
		{"2/9/2024 3:04 PM", "2024-02-09T15:04:00Z"},
		{"2023-02-29", ""}, {"1900-02-29", ""}, {"2024-13-01", ""}, {"2024-00-10", ""}, {"24-01-01", ""}, {"2024-01", ""},
		{"2024-01-01x", ""}, {"2024-01-01 ", "2024-01-01T00:00:00Z dated"}, {"2024/01/01", ""}, {"", ""}, {"2024-01/01", ""}, {"2024-01-01 25:00", ""},
		{"99999-01-01", ""},
	} {
		r, err := New(strings.NewReader("t,\n\""+c.text+"\",\n"), "t")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Next(); err != nil {
			t.Fatal(err)
		}
		at, dated, err := r.Moment(0)
		got := ""
		if err == nil {
			got = at.Format(time.RFC3339Nano)
			if dated {
				got += " dated"
			}
		}
		if got != c.want {
			t.Errorf("%q: %q %v, want %q", c.text, got, err, c.want)
		}
		day, err := r.Day(0)
		if err == nil && !strings.HasPrefix(c.want, day.String()) && c.want != "" {
			t.Errorf("%q: day %v, want %q", c.text, day, c.want)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("a,b\n1,2024-01-01\n")
	f.Add("\xef\xbb\xbfa;b\n1,5;01/02/2024 3:04\n")
	f.Fuzz(func(t *testing.T, file string) {
		r, err := New(strings.NewReader(file), "a", "b?")
		for err == nil {
			if err = r.Next(); err == nil {
				_, _ = r.Number(0)
				if at, _, err := r.Moment(1); err == nil && at.Year() == 0 {
					t.Fatal(at)
				}
			}
		}
	})
}

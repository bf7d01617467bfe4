package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func items(in string) (out []string) {
	for item, err := range Items(strings.NewReader(in), "entry") {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s@%d %s", item.Path, item.Offset, item.Raw))
	}
	return out
}

func TestItems(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		``:                         nil,
		` {"a":1} `:                {`@1 {"a":1}`},
		"{\"a\":1}\n{\"b\":[2]}\n": {`@0 {"a":1}`, `@8 {"b":[2]}`},
		`[ {"a":1}, 2,[3] ]`:       {`[0]@2 {"a":1}`, `[1]@11 2`, `[2]@13 [3]`},
		`{"t":"B","entry":[{"a":1}, {"b":2}],"z":{"y":1}}`: {`entry[0]@18 {"a":1}`, `entry[1]@27 {"b":2}`, `@0 {"t":"B","z":{"y":1}}`},
		`{"entry":[]}`:                nil,
		`{}`:                          {`@0 {}`},
		`{"entry":{"a":[1]},"b":"c"}`: {`@0 {"entry":{"a":[1]},"b":"c"}`},
		`{"entry":7}`:                 {`@0 {"entry":7}`},
		"\xef\xbb\xbf{\"a\":1}":       {`@3 {"a":1}`},
		`[{"a":1},{"a":`:              {`[0]@1 {"a":1}`, `! offset 9: the file ends too early`},
		`{"a":1} oops`:                {`@0 {"a":1}`, `! offset 8: it is not JSON: invalid character 'o' looking for beginning of value`},
		`7`:                           {`@0 7`},
		`[{"a":1}`:                    {`[0]@1 {"a":1}`, `! offset 8: the file ends too early`},
	} {
		if got := items(in); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", in, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func FuzzItems(f *testing.F) {
	f.Add([]byte(`{"t":"B","entry":[{"a":1}, {"b":2}],"z":{"y":1}} [1,2]`))
	f.Fuzz(func(t *testing.T, in []byte) {
		n := 0
		for item, err := range Items(bytes.NewReader(in), "entry") {
			if n++; err != nil {
				continue
			}
			if !json.Valid(item.Raw) || item.Offset < 0 || item.Offset >= int64(len(in)) {
				t.Fatalf("%+v", item)
			}
		}
		if n > len(in)+1 {
			t.Fatal(n)
		}
	})
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ride is one person who rides from (3,4) to (3,0), and another who cannot be driven in time.
const ride = `2 2 480 6 45
0 0 0 0 0 0 600
1 3 4 2 1 10 20
2 90 0 0 1 0 10
3 3 0 5 -1 0 1440
4 0 0 0 -1 0 1440
`

func TestRoute(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ride.txt")
	if err := os.WriteFile(file, []byte(ride), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"route", file, "--format", "cordeau", "--time", "50ms"}, &out, &errs); code != 0 {
		t.Fatalf("code %d: %s", code, &errs)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "seconds")
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"begins":[[10,16]],"by":["1"],"cost":12,"distance":12,"routes":[[1,3]],"unserved":[2],"vehicles":1}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if errs.Len() > 0 {
		t.Errorf("stderr: %s", &errs)
	}
}

func TestRouteRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ride.txt")
	if err := os.WriteFile(file, []byte(strings.Replace(ride, "2 90 0", "2 90 far", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{file + " --format cordeau", 1, `ride.txt: line 4: "far" is not a number`},
		{file + " --format tsplib", 2, "--format"},
		{file, 2, "--format"},
		{file + " --format cordeau --time 0s", 2, "--time is more than 0"},
		{file + " --format cordeau --workers 0", 2, "--workers is 1 to 64"},
		{file + ".no --format cordeau", 1, "cannot be opened"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), append([]string{"route"}, strings.Fields(c.args)...), &out, &errs); code != c.code || out.Len() > 0 || !strings.Contains(errs.String(), c.says) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: code %d, out %q, errs %q", c.args, code, &out, &errs)
		}
	}
}

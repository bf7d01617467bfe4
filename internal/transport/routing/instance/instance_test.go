package instance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/internal/sharedtest"
	"doorstep/internal/transport/routing"
	"doorstep/internal/transport/routing/instance"
	"doorstep/internal/transport/routing/verify"
)

// Every file of the sample data is read, with as many requests as its table has.
func TestReadAll(t *testing.T) {
	t.Parallel()
	for format, pattern := range map[string]string{"cordeau": "darp/*/*[0-9].txt", "lilim": "pdptw/*/*.txt", "solomon": "vrptw/*/*.txt"} {
		files, err := filepath.Glob(sharedtest.Path(t, "data/routing/"+pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			i, err := instance.Read(format, strings.NewReader(string(raw)))
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			nodes := 0
			for _, line := range strings.Split(string(raw), "\n") {
				if f := strings.Fields(line); len(f) >= 7 && f[0][0] >= '0' && f[0][0] <= '9' {
					nodes++
				}
			}
			want := nodes - 1
			if format != "solomon" {
				want /= 2
			}
			if len(i.Problem.Requests) != want || len(i.Nodes) != want {
				t.Errorf("%s: %d requests, want %d", path, len(i.Problem.Requests), want)
			}
		}
	}
}

func TestCordeau(t *testing.T) {
	t.Parallel()
	i, err := instance.Read("cordeau", strings.NewReader("2 1 480 6 45\n0 0 0 0 0 0 600\n1 3 4 2 1 10 20\n2 3 0 5 -1 0 1440\n3 0 0 0 0 0 600\n"))
	if err != nil {
		t.Fatal(err)
	}
	q, v := i.Problem.Requests[0], i.Problem.Vehicles
	if q.MaxRide != 45 || q.Load != (routing.Load{1}) || q.Stops[0].Window != (routing.Window{From: 10, To: 20}) || q.Stops[0].Service != 2 || q.Stops[1].Service != 5 {
		t.Errorf("request %+v", q)
	}
	if len(v) != 2 || v[0].MaxDuration != 480 || v[0].Shift.To != 600 || v[0].Capacity[0] != (routing.Load{6}) {
		t.Errorf("vehicles %+v", v)
	}
	if d := i.Problem.Distance.At(0, 1); d != 5 {
		t.Errorf("distance %v", d)
	}
	if i.Nodes[0] != [2]int{1, 2} {
		t.Errorf("nodes %v", i.Nodes)
	}
}

// A file that is wrong is refused by its line.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const (
		cordeau = "2 1 480 6 45\n0 0 0 0 0 0 600\n1 3 4 2 1 10 20\n2 3 0 5 -1 0 1440\n"
		lilim   = "25 200 1\n0 40 50 0 0 1236 0 0 0\n1 45 68 10 0 967 90 0 2\n2 45 70 -10 0 870 90 1 0\n"
		solomon = "C101\n\nVEHICLE\nNUMBER CAPACITY\n 25 200\n\nCUSTOMER\nCUST NO.\n\n0 40 50 0 0 1236 0\n1 45 68 10 912 967 90\n"
	)
	for _, c := range []struct{ format, file, says string }{
		{"cordeau", "", "line 1"},
		{"cordeau", "2 1 480 6\n", "line 1: 4 numbers"},
		{"cordeau", strings.Replace(cordeau, "3 4 2", "3 x 2", 1), `line 3: "x" is not a number`},
		{"cordeau", strings.Replace(cordeau, "3 4 2", "3 NaN 2", 1), `line 3: "NaN" is not a number`},
		{"cordeau", strings.Replace(cordeau, "3 4 2", "3 2", 1), "line 3: 6 numbers (want 7)"},
		{"cordeau", strings.Replace(cordeau, "10 20", "20 10", 1), "line 3: the window ends at 10"},
		{"cordeau", strings.Replace(cordeau, "2 3 0", "7 3 0", 1), "line 4: the node is numbered 7"},
		{"cordeau", strings.Replace(cordeau, "-1 0", "-2 0", 1), "line 4: the load of a delivery is -2"},
		{"cordeau", strings.Replace(cordeau, "2 1 480", "2 9 480", 1), "line 1: 9 requests are said"},
		{"cordeau", strings.Replace(cordeau, "2 1 480", "0 1 480", 1), "line 1: the number of vehicles is 0"},
		{"cordeau", cordeau + "3 1 1 0 0 0 600\n", "line 5: the last node is not the depot"},
		{"lilim", "", "line 1"},
		{"lilim", strings.Replace(lilim, "90 0 2", "90 0 3", 1), "line 3: the delivery is 3"},
		{"lilim", strings.Replace(lilim, "90 0 2", "90 0 0", 1), "line 3: pickup 0 and delivery 0"},
		{"lilim", strings.Replace(lilim, "90 1 0", "90 2 0", 1), "line 3: node 1 belongs to node 2, which belongs to 2"},
		{"lilim", strings.Replace(lilim, "-10", "-9", 1), "line 4: the demand of a delivery is -9"},
		{"lilim", strings.Replace(lilim, " 10 ", " 1.5 ", 1), "line 3: the demand of a pickup is 1.5"},
		{"lilim", strings.Replace(lilim, "967 90", "967 -90", 1), "line 3: the service time is -90"},
		{"solomon", "C101\n", "line 1"},
		{"solomon", strings.Replace(solomon, "25 200", "25", 1), "line 5: 1 numbers"},
		{"solomon", strings.Replace(solomon, "912 967", "912 900", 1), "line 11: the window"},
		{"vrp", "", "no format"},
	} {
		if i, err := instance.Read(c.format, strings.NewReader(c.file)); err == nil || i != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %q: want %q, got %v", c.format, c.file, c.says, err)
		}
	}
	for format, file := range map[string]string{"cordeau": cordeau, "lilim": lilim, "solomon": solomon} {
		if _, err := instance.Read(format, strings.NewReader(file)); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	var large strings.Builder
	large.WriteString("25 200 1\n")
	for i := range 3000 {
		fmt.Fprintf(&large, "%d 0 0 0 0 0 0 0 0\n", i)
	}
	if _, err := instance.Read("lilim", strings.NewReader(large.String())); err == nil || !strings.Contains(err.Error(), "more than 2500 nodes") {
		t.Errorf("a large file: %v", err)
	}
}

// Whatever the bytes: an instance that is sound, or an error.
func FuzzRead(f *testing.F) {
	f.Add(uint8(0), "25 200 1\n0 40 50 0 0 1236 0 0 0\n1 45 68 10 0 967 90 0 2\n2 45 70 -10 0 870 90 1 0\n")
	f.Add(uint8(1), "C101\n\nVEHICLE\nNUMBER CAPACITY\n 25 200\n\nCUSTOMER\nCUST NO.\n\n0 40 50 0 0 1236 0\n1 45 68 10 912 967 90\n")
	f.Add(uint8(2), "2 1 480 6 45\n0 0 0 0 0 0 600\n1 3 4 2 1 10 20\n2 3 0 5 -1 0 1440\n3 0 0 0 0 0 600\n")
	f.Add(uint8(3), `{"patients":[{"id":"p1","time_window":[0,60],"required_caregivers":[{"service":"s1","duration":30}]}],"services":[{"id":"s1"}],"caregivers":[{"id":"c1","abilities":["s1"]}],"central_offices":[{}],"distances":[[0,4],[4,0]]}`)
	f.Fuzz(func(t *testing.T, format uint8, text string) {
		i, err := instance.Read(instance.Formats[int(format)%len(instance.Formats)], strings.NewReader(text))
		if (err == nil) == (i == nil) {
			t.Fatalf("%v and %v", i, err)
		}
		if err != nil || len(i.Problem.Requests) > 20 {
			return
		}
		plan, err := routing.Solve(t.Context(), &i.Problem, routing.Options{Iterations: 24})
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Plan(&i.Problem, plan); err != nil {
			t.Fatal(err)
		}
	})
}

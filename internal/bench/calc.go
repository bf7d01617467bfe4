package bench

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/store"
)

// calcPeople is how many people calc.adherence measures.
const calcPeople = 100_000

// calcAdherence answers how long `doorstep calc adherence --json` takes for the file of a whole programme, beside the time that
// encoding/csv takes to read the same file and do nothing with it.
func calcAdherence(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	name := filepath.Join(r.dir, "fills.csv")
	rows, err := writeFills(name, calcPeople)
	if err != nil {
		return nil, err
	}
	limit, err := timed(func() error { return readPlainly(name) })
	if err != nil {
		return nil, err
	}
	taken, err := timed(func() error {
		cmd := exec.CommandContext(ctx, r.Self, "calc", "adherence", "--start", "182", "--length", "365", "--json", name)
		cmd.Stderr = os.Stderr
		return cmd.Run()
	})
	if err != nil {
		return nil, err
	}
	return []app.Figure{
		{Name: "calc.adherence.seconds", Value: taken, Unit: "s", N: calcPeople},
		{Name: "calc.adherence.limit_s", Value: limit, Unit: "s", N: rows},
	}, nil
}

func timed(do func() error) (seconds float64, err error) {
	start := time.Now()
	err = do()
	return time.Since(start).Seconds(), err
}

// writeFills writes fills of so many people, mixed as they came over two years, and answers how many.
func writeFills(name string, people int) (rows int, err error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "PATIENT_ID,DATE,PERDAY,CATEGORY,DURATION")
	random := rand.New(rand.NewPCG(1, 2))
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	next := make([]int, people) // day of each person's next fill
	for day := range 730 {
		date := first.AddDate(0, 0, day).Format("01/02/2006")
		for p := range next {
			if next[p] != day && (next[p] != 0 || random.IntN(100) != 0) {
				continue
			}
			days := 30 * (1 + random.IntN(3))
			fmt.Fprintf(out, "%d,%s,%d,%s,%d\n", p+1, date, 2*(1+random.IntN(2)), []string{"medA", "medB"}[random.IntN(10)/9], days)
			next[p] = day + days - 10 + random.IntN(40)
			rows++
		}
	}
	if err := out.Flush(); err != nil {
		return 0, err
	}
	return rows, f.Close()
}

func readPlainly(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	for {
		if _, err := r.Read(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

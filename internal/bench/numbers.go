package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/reading"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

const (
	numbersFor   = 730 * 24 * time.Hour
	numbersLooks = 100
)

// numbersPage asks for /numbers of one person with two years of a glucose sensor, a watch, a cuff and a scale, one look after another.
func numbersPage(ctx context.Context, _ *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	db, _, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c, err := newClinic(ctx, db, 1)
	if err != nil {
		return nil, err
	}
	patient := string(c.patients[0].ID)
	stored, err := c.twoYears(ctx, patient)
	if err != nil {
		return nil, err
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		for _, g := range []reading.Goal{{Kind: reading.WeightGoal, Value: 80, Down: true}, {Kind: reading.StepsGoal, Value: 6000}, {Kind: reading.PressureGoal, Value: 130, Low: 80, Down: true},
			{Kind: reading.InRangeGoal, Value: 70}} {
			g.Org, g.Patient, g.By = string(org), patient, patient
			if _, err := c.Readings.SetGoal(tx, g); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	h, err := c.Handler(ctx, app.Edges{Version: "bench"})
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, numbersLooks)
	size := 0
	for i := range took {
		begin := time.Now()
		if size, err = look(ctx, client, "http://"+l.Addr().String()+"/numbers", c.tokens[0]); err != nil {
			return nil, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return []app.Figure{
		{Name: "numbers.page.p99_ms", Value: percentile(took, .99), Unit: "ms", N: len(took)},
		{Name: "numbers.page.p50_ms", Value: percentile(took, .5), Unit: "ms", N: len(took)},
		{Name: "numbers.page.kb", Value: float64(size) / 1000, Unit: "kB", N: stored},
	}, nil
}

// twoYears stores a patient's past and packs it, and answers how many readings it is: glucose and steps each quarter of an hour, the
// pulse each hour, blood pressure twice a day, weight once.
func (c *clinic) twoYears(ctx context.Context, patient string) (int, error) {
	d, err := c.Readings.ImportDevice(ctx, string(org), patient, "bench")
	if err != nil {
		return 0, err
	}
	r := rand.New(rand.NewPCG(7, 7))
	var list []reading.Reading
	stored := 0
	send := func() error {
		receipt, err := c.Readings.Ingest(ctx, d, list)
		if err == nil && len(receipt.Refused) > 0 {
			err = fmt.Errorf("%d readings refused: %s", len(receipt.Refused), receipt.Refused[0].Reason)
		}
		stored += receipt.Stored
		list = list[:0]
		return err
	}
	now := c.Clock.Now().Truncate(time.Second)
	for k, at := 0, now.Add(-numbersFor); at.Before(now); k, at = k+1, at.Add(15*time.Minute) {
		add := func(series string, value float64, unit string) {
			list = append(list, reading.Reading{At: at, Series: series, Value: value, Unit: unit})
		}
		add(sample.TissueGlucose, math.Round(135+45*math.Sin(float64(k%96)/96*6*math.Pi)+15*r.NormFloat64()), "mg/dL")
		add(sample.Steps, math.Round(max(0, 60+40*r.NormFloat64())), "{steps}")
		if k%4 == 0 {
			add(sample.HeartRate, math.Round(72+6*r.NormFloat64()), "/min")
		}
		if k%48 == 0 {
			add(sample.Systolic, math.Round(134+7*r.NormFloat64()), "mm[Hg]")
			add(sample.Diastolic, math.Round(81+5*r.NormFloat64()), "mm[Hg]")
		}
		if k%96 == 0 {
			add(sample.Weight, 82+0.4*r.NormFloat64(), "kg")
		}
		if len(list) > 900 {
			if err := send(); err != nil {
				return stored, err
			}
		}
	}
	if err := send(); err != nil {
		return stored, err
	}
	_, err = c.Readings.Compact(ctx)
	return stored, err
}

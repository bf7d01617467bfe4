// Package bench measures what Doorstep promises of its speed, each figure beside the machine's own limit or a peer in the same
// run. It talks to loopback addresses only, is bounded in count and time, and stops by itself.
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/device"
	"doorstep/internal/reading"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/pgcluster"
)

// Bench is one measurement; it may answer several figures.
type Bench struct {
	Name  string
	About string
	once  bool // the same whatever the engine
	run   func(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error)
}

// All are the measurements, in the order in which they are run.
var All = []Bench{
	{Name: "ledger.spike", About: "doses due at one instant, each reminded: seconds, ratio to plain inserts, peak MB", run: spike},
	{Name: "ledger.lag", About: "10,000 patients in ordinary life: how late rungs are climbed, ms", run: lag},
	{Name: "ingest.http", About: "readings per second, 50 a request, 200 devices, acknowledged once durable", run: ingest(device.BenchHTTP)},
	{Name: "ingest.mqtt", About: "readings per second, one a message, MQTT QoS 1, 200 devices", run: ingest(device.BenchMQTT)},
	{Name: "series.bytes", About: "bytes per stored sample, beside Prometheus' XOR chunks", once: true, run: series},
	{Name: "web.today", About: "/today for 200 viewers at once while 1,000 readings/s come in: p99 ms, page kB", run: today},
	{Name: "numbers.page", About: "/numbers of a person with two years of readings: p99 ms, page kB", run: numbersPage},
	{Name: "start", About: "ms until ready on an empty folder; MB resident, idle, with 200 patients", once: true, run: starting},
	{Name: "record.import", About: "FHIR resources per second of the sample bundles, durable and indexed", run: importing},
	{Name: "rules.evaluate", About: "seconds for 20 rules a person over 1,000,000 readings, one by one and at once", once: true, run: rulesEvaluate},
	{Name: "alerts.quality", About: "1,000 simulated heart-failure patient-months: 2 kg in 3 days beside rules on own baselines, with 95 % intervals", once: true, run: alertsQuality},
	{Name: "calc.adherence", About: "seconds for CMA1 to CMA9 of 100,000 people from a file, beside reading the file plainly", once: true, run: calcAdherence},
	{Name: "decode.gatt", About: "ns and allocations for a value of a Bluetooth notification", once: true, run: decodeGATT},
	{Name: "decode.fit", About: "MB/s of FIT files to samples, ratio to muktihari/fit on the files that both read", once: true, run: decodeFIT},
	{Name: "decode.apple", About: "MB/s of an Apple Health export of 3 GB to samples, MB of memory it takes, MB/s of the archive", once: true, run: decodeApple},
	{Name: "slots.find", About: "any of 50 hosts, 30 days, four fifths booked, clocks change: µs, ratio to Cal.com's engine, worlds with the same starts", once: true, run: slotsFind},
	{Name: "slots.team", About: "any of 200 clinicians, 20 rooms and 5 interpreters, 30 days: µs, allocations, µs until a booking is seen", once: true, run: slotsTeam},
	{Name: "booking.race", About: "1,000 clients on 100 times, two nodes on PostgreSQL: who won, who was told; bookings per second, each durable with its promise and message", run: bookingRace},
	{Name: "video.connect", About: "two browsers with simulated cameras, through the relay alone: ms from joining until both see the other", once: true, run: videoConnect},
	{Name: "waiting.estimate", About: "what people are told on arrival in simulated clinics against their waits, beside longest wait + 15 min: RMSE, ratio, coverage of the 80 % range", once: true, run: waitingEstimate},
	{Name: "access.policy", About: "a clinic of five at loads 0.85 and 1: days to be seen by policy beside the telephone, fill of freed times, messages per fill, overtime, waits, with 95 % intervals", once: true, run: accessPolicy},
	{Name: "route.darp", About: "dial-a-ride, Cordeau's a and b series in 5 s (a third of them; --all: each): gap to the best known, %", once: true, run: routeGaps(routeDARP)},
	{Name: "route.darp_pr", About: "dial-a-ride, Cordeau & Laporte's series in 10 s (half of them; --all: each): gap to the best known, %", once: true, run: routeGaps(routePR)},
	{Name: "route.pdptw", About: "Li & Lim's 100, 200, 400 in 2, 5, 27 s (a few of them; --all: each): vehicles above the best known, gap, %", once: true, run: routeGaps(routePDPTW)},
	{Name: "route.hhc", About: "home health care with double visits in 30 s (an eighth of them; --all: each): gap to the best known, %", once: true, run: routeGaps(routeHHC)},
	{Name: "route.insert", About: "a full day of 144 riders and 13 vehicles: µs for the best place of a new rider, ms to plan anew after a cancellation, MB", once: true, run: routeInsert},
	{Name: "plan.exact", About: "one person's four weeks, 12 and 15 needs with 4 ways each, proved least burdening: ms, months proved", once: true, run: planExact},
	{Name: "journey.policy", About: "500 people, 60 days, the same lives twice: weeks planned as a whole beside the nearest place with one trip for each need: % fewer contact days, hours, trips and miles, things due that were missed, with 95 % intervals", once: true, run: journeyPolicy},
	{Name: "road", About: "a metropolitan graph of 270,000 nodes: s to build, µs for a way beside Dijkstra, ms for 500×500, pairs that differ from Dijkstra", once: true, run: roads},
	{Name: "transit.query", About: "a journey by bus and train in Porto Alegre: ms for the earliest arrival, and for all worth a look within an hour", once: true, run: transits},
}

// Runner runs measurements.
type Runner struct {
	Shared   string // folder of the sample data
	Peers    string // folder of peers' programs, modules of their own
	All      bool   // every instance of route.*, not a sample
	Doses    int    // of ledger.spike
	Database string // an empty PostgreSQL database, instead of a cluster of our own
	Self     string // path of this program
	Print    func(app.Figure) error
	Say      func(text string)

	dir     string
	cluster *pgcluster.Cluster
	n       int
}

// Run measures the chosen figures on the engines and prints each as it is known.
func (r *Runner) Run(ctx context.Context, chosen []Bench, engines []store.Engine) error {
	var err error
	if r.dir, err = os.MkdirTemp("", "doorstep-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	defer func() {
		if r.cluster != nil {
			r.cluster.Stop()
		}
	}()
	for _, b := range chosen {
		for i, engine := range engines {
			if b.once && i > 0 {
				break
			}
			r.Say(b.Name + " on " + string(engine))
			figures, err := b.run(ctx, r, func() (*store.DB, string, error) { return r.open(ctx, engine) })
			if err != nil {
				return fmt.Errorf("%s on %s: %w", b.Name, engine, err)
			}
			for _, f := range figures {
				if f.Engine == "" && !b.once {
					f.Engine = string(engine)
				}
				if err := r.Print(f); err != nil {
					return err
				}
			}
		}
	}
	r.Say("")
	return nil
}

// open answers an empty durable database and its address.
func (r *Runner) open(ctx context.Context, engine store.Engine) (*store.DB, string, error) {
	r.n++
	address := filepath.Join(r.dir, fmt.Sprint(r.n), "doorstep.db")
	if engine == store.Postgres {
		address = r.Database
		if address == "" {
			if r.cluster == nil {
				var err error
				if r.cluster, err = pgcluster.Start(true); err != nil {
					return nil, "", err
				}
			}
			var err error
			if address, _, err = r.cluster.Database(); err != nil {
				return nil, "", err
			}
		}
	}
	db, err := store.Open(ctx, address, store.Options{})
	return db, address, err
}

func spike(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	return app.BenchSpike(ctx, func() (*store.DB, error) { db, _, err := open(); return db, err }, r.Doses)
}

const ingestSeconds = 8

func ingest(measure func(context.Context, *store.DB, float64) ([]device.Figure, error)) func(context.Context, *Runner, func() (*store.DB, string, error)) ([]app.Figure, error) {
	return func(ctx context.Context, _ *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
		db, _, err := open()
		if err != nil {
			return nil, err
		}
		defer db.Close()
		if err := app.Migrate(ctx, db); err != nil {
			return nil, err
		}
		list, err := measure(ctx, db, ingestSeconds)
		return figures(list), err
	}
}

func figures(list []reading.Figure) []app.Figure {
	out := make([]app.Figure, len(list))
	for i, f := range list {
		out[i] = app.Figure(f)
	}
	return out
}

func series(_ context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	list, err := reading.BenchSeries(filepath.Join(r.Shared, "devices"))
	return figures(list), err
}

func importing(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	db, _, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := app.Migrate(ctx, db); err != nil {
		return nil, err
	}
	list, err := record.Bench(ctx, db, filepath.Join(r.Shared, "fhir", "synthea-r4-bundles"))
	out := make([]app.Figure, len(list))
	for i, f := range list {
		out[i] = app.Figure(f)
	}
	return out, err
}

// percentile answers the p-th part of durations, which it sorts, in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(float64(len(sorted))*p), len(sorted)-1)
	return float64(sorted[i]) / float64(time.Millisecond)
}

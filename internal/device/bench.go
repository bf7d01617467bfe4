package device

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// Figure is one measured number.
type Figure = reading.Figure

const (
	benchDevices = 200
	benchBatch   = 50
	benchOrg     = "bench"
)

// benchSetup is a room with 200 devices, each assigned to a person of its own, behind both edges on loopback.
type benchSetup struct {
	db      *store.DB
	broker  *Broker
	http    *http.Server
	url     string
	devices []struct{ id, key string }
	start   time.Time
	stored  atomic.Int64
}

// Stored counts what the room tells its listeners: the figure is of readings stored, not of readings sent.
func (b *benchSetup) Stored(_ *store.Tx, _, _ string, fresh []reading.Sample) error {
	b.stored.Add(int64(len(fresh)))
	return nil
}

// Alert hears of no alert: the bench sets no rules.
func (b *benchSetup) Alert(*store.Tx, reading.Alert) error { return nil }

// check fails a run in which less was stored than was acknowledged.
func (b *benchSetup) check(acknowledged int) error {
	if stored := b.stored.Load(); stored < int64(acknowledged) {
		return fmt.Errorf("%d readings were acknowledged, %d stored", acknowledged, stored)
	}
	return nil
}

func setupBench(ctx context.Context, db *store.DB) (*benchSetup, error) {
	if err := db.Migrate(ctx, "reading", reading.Migrations); err != nil {
		return nil, err
	}
	c := clock.NewSystem()
	service := reading.New(db, c, clock.NewIDs(c))
	b := &benchSetup{db: db, start: c.Now()}
	service.Listen(b)
	in := &Intake{Service: service, Clock: c, Log: slog.New(slog.DiscardHandler)}
	for i := range benchDevices {
		id, key, err := service.Register(ctx, benchOrg, "watch")
		if err != nil {
			return nil, err
		}
		if err := service.Assign(ctx, benchOrg, id, fmt.Sprintf("bench-%03d", i), b.start.AddDate(-1, 0, 0), time.Time{}); err != nil {
			return nil, err
		}
		b.devices = append(b.devices, struct{ id, key string }{id, key})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.url = "http://" + l.Addr().String()
	b.http = &http.Server{Handler: HTTPHandler(in), ReadHeaderTimeout: writeTimeout}
	go b.http.Serve(l)
	if b.broker, err = Listen(in, "127.0.0.1:0"); err != nil {
		b.http.Close()
		return nil, err
	}
	return b, nil
}

func (b *benchSetup) close() {
	b.broker.Close()
	b.http.Close()
}

// payload is n readings from the seq-th on, one a second, as a device would send them.
func (b *benchSetup) payload(seq, n int) []byte {
	var buf bytes.Buffer
	buf.WriteByte('[')
	for i := range n {
		if i > 0 {
			buf.WriteByte(',')
		}
		at := b.start.Add(time.Duration(seq+i-100_000) * 100 * time.Millisecond).Format(time.RFC3339Nano)
		fmt.Fprintf(&buf, `{"seq":%d,"at":"%s","series":"8867-4","value":%d,"unit":"/min"}`, seq+i, at, 60+(seq+i)%40)
	}
	buf.WriteByte(']')
	return buf.Bytes()
}

// run lets every device send until the time is over; send sends from the seq-th reading on and answers how many it sent.
func (b *benchSetup) run(ctx context.Context, seconds float64, send func(ctx context.Context, device int) (func(seq int) (int, error), error)) (int, float64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sends := make([]func(int) (int, error), benchDevices)
	for i := range sends {
		var err error
		if sends[i], err = send(ctx, i); err != nil {
			return 0, 0, err
		}
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	until := began.Add(time.Duration(seconds * float64(time.Second)))
	for i := range sends {
		wg.Go(func() {
			for seq := 1; time.Now().Before(until) && ctx.Err() == nil; {
				n, err := sends[i](seq)
				if err != nil {
					cancel(err)
					return
				}
				seq += n
				total.Add(int64(n))
			}
		})
	}
	wg.Wait()
	return int(total.Load()), time.Since(began).Seconds(), context.Cause(ctx)
}

// BenchHTTP measures readings per second over HTTP: 200 devices at once, 50 readings a request, acknowledged once durable;
// and the machine's limit: the same number of bytes in bare group-committed inserts, over as many callers.
func BenchHTTP(ctx context.Context, db *store.DB, seconds float64) ([]Figure, error) {
	b, err := setupBench(ctx, db)
	if err != nil {
		return nil, err
	}
	defer b.close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: benchDevices, MaxConnsPerHost: benchDevices}}
	defer client.CloseIdleConnections()
	n, took, err := b.run(ctx, seconds, func(ctx context.Context, device int) (func(int) (int, error), error) {
		d := b.devices[device]
		return func(seq int) (int, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/api/v1/devices/"+d.id+"/readings", bytes.NewReader(b.payload(seq, benchBatch)))
			if err != nil {
				return 0, err
			}
			req.Header.Set("Authorization", "Bearer "+d.key)
			req.Header.Set("Content-Type", "application/json")
			res, err := client.Do(req)
			if err != nil {
				return 0, err
			}
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				return 0, err
			}
			if res.StatusCode != http.StatusOK {
				return 0, fmt.Errorf("the server answered %s", res.Status)
			}
			return benchBatch, nil
		}, nil
	})
	if err == nil {
		err = b.check(n)
	}
	if err != nil {
		return nil, err
	}
	limit, err := b.bare(ctx, seconds/2, benchBatch)
	return []Figure{{Name: "ingest.http", Value: float64(n) / took, Unit: "readings/s", Engine: string(db.Engine()), N: n}, limit("ingest.http.limit")}, err
}

// BenchMQTT measures readings per second over MQTT 3.1.1, QoS 1: 200 devices at once, one reading a message, each waiting for
// its PUBACK, which comes once it is durable; and the machine's limit as BenchHTTP does.
func BenchMQTT(ctx context.Context, db *store.DB, seconds float64) ([]Figure, error) {
	b, err := setupBench(ctx, db)
	if err != nil {
		return nil, err
	}
	defer b.close()
	var clients []*miniClient
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	n, took, err := b.run(ctx, seconds, func(ctx context.Context, device int) (func(int) (int, error), error) {
		d := b.devices[device]
		c, err := dialMini(b.broker.Addr(), d.id, d.id, d.key)
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
		topic := topicRoot + d.id + "/up/reading"
		return func(seq int) (int, error) { return 1, c.publish(topic, b.payload(seq, 1)) }, nil
	})
	if err == nil {
		err = b.check(n)
	}
	if err != nil {
		return nil, err
	}
	limit, err := b.bare(ctx, seconds/2, 1)
	return []Figure{{Name: "ingest.mqtt", Value: float64(n) / took, Unit: "readings/s", Engine: string(db.Engine()), N: n}, limit("ingest.mqtt.limit")}, err
}

// bare inserts the bytes of as many readings, one row a call, by as many callers, and nothing else.
func (b *benchSetup) bare(ctx context.Context, seconds float64, per int) (func(name string) Figure, error) {
	none := func(name string) Figure { return Figure{Name: name} }
	if err := b.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("CREATE TABLE IF NOT EXISTS bench_bare (id TEXT NOT NULL PRIMARY KEY, bytes BYTEA NOT NULL)")
		return err
	}); err != nil {
		return none, err
	}
	c := clock.NewSystem()
	ids := clock.NewIDs(c)
	n, took, err := b.run(ctx, seconds, func(ctx context.Context, _ int) (func(int) (int, error), error) {
		return func(seq int) (int, error) {
			payload := b.payload(seq, per)
			return per, b.db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec("INSERT INTO bench_bare (id, bytes) VALUES ($1, $2)", ids.New(), payload)
				return err
			})
		}, nil
	})
	return func(name string) Figure {
		return Figure{Name: name, Value: float64(n) / took, Unit: "readings/s", Engine: string(b.db.Engine()), N: n}
	}, err
}

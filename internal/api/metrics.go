package api

import (
	"context"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

// Measured is what metrics are read from.
type Measured struct {
	DB      *store.DB
	Clock   clock.Clock
	Person  *person.Service
	Promise *promise.Service
	Reading *reading.Service
	// Intake answers what devices have sent since the start: messages taken, those that could not be read, those that could not
	// be stored. May be nil.
	Intake  func() (messages, malformed, failed int64)
	Version string
}

// Metrics are the figures for Prometheus. No label holds an id, an address or a path as it was asked for.
type Metrics struct {
	Measured
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	handed   *prometheus.CounterVec
	stored   prometheus.Counter

	mu      sync.Mutex
	counted time.Time
	devices map[string]int // by kind
}

// scrapeWithin is how long a scrape waits for the database; countEvery is how old a count of devices may be.
const (
	scrapeWithin = 3 * time.Second
	countEvery   = time.Minute
)

// NewMetrics answers the figures of one server. It becomes the ledger's listener for lag, and a listener of readings; call it
// before anything comes due or in.
func NewMetrics(d Measured) *Metrics {
	m := &Metrics{Measured: d, registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "doorstep_http_requests_total", Help: "Requests answered, by route and status."},
			[]string{"route", "status"}),
		handed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "doorstep_messages_handed_total",
			Help: "Messages handed to a channel, by what it said: sent, failed (for good), retry."}, []string{"channel", "state"}),
		stored: prometheus.NewCounter(prometheus.CounterOpts{Name: "doorstep_readings_stored_total", Help: "Readings stored for a person."})}
	climbed := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "doorstep_ledger_climb_lag_seconds",
		Help:    "How late rungs were climbed; one observation for all rungs of a batch that were due at one instant.",
		Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 10800}})
	d.Promise.OnLag(func(lag time.Duration) { climbed.Observe(lag.Seconds()) })
	d.Reading.Listen(m)
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "doorstep_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": d.Version, "go": runtime.Version(), "engine": string(d.DB.Engine())}})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.handed, m.stored, climbed, info, deviceCounts{m},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "doorstep_ledger_lag_seconds", Help: "Age of the oldest rung that is due and not climbed; -1 when the database does not answer."}, m.lag),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "doorstep_database_full", Help: "1 while the disk is full and new writes are refused."}, func() float64 {
			if d.DB.Full() {
				return 1
			}
			return 0
		}))
	if d.Intake != nil {
		m.intake("doorstep_device_messages_total", "Messages of devices that came in.", func(taken, _, _ int64) int64 { return taken })
		m.intake("doorstep_device_messages_malformed_total", "Messages of devices that could not be read.", func(_, malformed, _ int64) int64 { return malformed })
		m.intake("doorstep_device_messages_failed_total", "Messages of devices that could not be stored.", func(_, _, failed int64) int64 { return failed })
	}
	return m
}

func (m *Metrics) intake(name, help string, pick func(messages, malformed, failed int64) int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(pick(m.Intake())) }))
}

// Handler answers the figures as text.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *Metrics) lag() float64 {
	ctx, stop := context.WithTimeout(context.Background(), scrapeWithin)
	defer stop()
	lag, err := m.Promise.Lag(ctx)
	if err != nil {
		return -1
	}
	return lag.Seconds()
}

// Stored counts readings once they are durable.
func (m *Metrics) Stored(tx *store.Tx, _, _ string, fresh []reading.Sample) error {
	n := float64(len(fresh))
	tx.After(func() { m.stored.Add(n) })
	return nil
}

// Alert is for the ledger; there is nothing to count that the desk does not show.
func (m *Metrics) Alert(*store.Tx, reading.Alert) error { return nil }

// Wrap counts requests by the pattern of their route.
func (m *Metrics) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &counted{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			route := r.Pattern
			if route == "" {
				route = "none"
			}
			m.requests.WithLabelValues(route, strconv.Itoa(c.status)).Inc()
		}()
		next.ServeHTTP(c, r)
	})
}

// counted remembers the status of an answer. Streams flush through Unwrap.
type counted struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (c *counted) WriteHeader(status int) {
	if !c.wrote && status >= http.StatusOK {
		c.status, c.wrote = status, true
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(b []byte) (int, error) {
	c.wrote = true
	return c.ResponseWriter.Write(b)
}

// Unwrap is how http.ResponseController finds what is beneath.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Channel counts what a channel says of the messages handed to it. A channel that can reconcile still can.
func (m *Metrics) Channel(name person.Channel, ch message.Channel) message.Channel {
	c := countedChannel{m: m, name: name, Channel: ch}
	if r, can := ch.(message.Reconciler); can {
		return struct {
			countedChannel
			message.Reconciler
		}{c, r}
	}
	return c
}

type countedChannel struct {
	message.Channel
	m    *Metrics
	name person.Channel
}

func (c countedChannel) Send(ctx context.Context, batch []message.Outgoing) []message.Result {
	results := c.Channel.Send(ctx, batch)
	n := map[string]int{}
	for _, r := range results {
		switch {
		case r.Err == nil:
			n["sent"]++
		case r.Never:
			n["failed"]++
		default:
			n["retry"]++
		}
	}
	for state, times := range n {
		c.m.handed.WithLabelValues(string(c.name), state).Add(float64(times))
	}
	return results
}

// deviceCounts collects how many devices of each kind are registered.
type deviceCounts struct{ m *Metrics }

var devicesDesc = prometheus.NewDesc("doorstep_devices", "Registered devices, by kind.", []string{"kind"}, nil)

func (d deviceCounts) Describe(out chan<- *prometheus.Desc) { out <- devicesDesc }

func (d deviceCounts) Collect(out chan<- prometheus.Metric) {
	for kind, n := range d.m.deviceKinds() {
		out <- prometheus.MustNewConstMetric(devicesDesc, prometheus.GaugeValue, float64(n), kind)
	}
}

// kinds that are named in a label: a kind is free text, and a label must not be.
var kinds = map[string]bool{watch.PillBox: true, "scale": true, "cuff": true, "watch": true, "oximeter": true, "thermometer": true, "glucose": true, "hub": true}

// deviceKinds counts, at most once a minute. While the database does not answer, the count before stands.
func (m *Metrics) deviceKinds() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Clock.Now()
	if !m.counted.IsZero() && now.Sub(m.counted) < countEvery {
		return m.devices
	}
	ctx, stop := context.WithTimeout(context.Background(), scrapeWithin)
	defer stop()
	var orgs []person.Org
	err := m.DB.Read(ctx, func(tx *store.Tx) (err error) {
		orgs, err = m.Person.Orgs(tx)
		return err
	})
	n := map[string]int{}
	for _, o := range orgs {
		var list []reading.Device
		if err == nil {
			list, err = m.Reading.Devices(ctx, string(o.ID))
		}
		for _, d := range list {
			kind := d.Kind
			if !kinds[kind] {
				kind = "other"
			}
			n[kind]++
		}
	}
	if err == nil {
		m.devices, m.counted = n, now
	}
	return m.devices
}

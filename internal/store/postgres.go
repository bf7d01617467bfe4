package store

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"doorstep/internal/fault"
)

func openPostgres(ctx context.Context, url string, o Options) (*DB, error) {
	conf, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the database URL cannot be read: %w", err)
	}
	if conf.MaxConns < 16 {
		conf.MaxConns = 16
	}
	if o.Unsafe {
		conf.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	}
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the database does not answer: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fault.New(fault.Unavailable, "the database does not answer: %w", err)
	}
	db := &DB{engine: Postgres, sql: stdlib.OpenDBFromPool(pool), bus: newBus()}
	db.sql.SetMaxOpenConns(int(conf.MaxConns) - 2) // one listens, one notifies
	db.sql.SetMaxIdleConns(0)                      // the pool below keeps them
	db.startRelay(pool)
	db.bus.stops = append(db.bus.stops, pool.Close)
	return db, nil
}

// tries bounds how often a transaction is run again after a serialization failure or deadlock.
const tries = 8

func (db *DB) writePostgres(ctx context.Context, fn func(*Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.writeOnce(ctx, fn)
		if err == nil || !isRetry(err) || attempt == tries {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(4<<attempt)) * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, fn func(*Tx) error) error {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Close()
	tx := &Tx{db: db, link: &link{conn: conn}, ctx: context.WithoutCancel(ctx)}
	tx.Later("BEGIN") // goes with the first statement
	if err := run(fn, tx); err != nil {
		tx.rollback()
		return err
	}
	if tx.open || len(tx.late) > 1 {
		tx.Later("COMMIT") // in one round trip with what waits; an error among that keeps the server from committing
		if err := tx.flush(); err != nil {
			tx.rollback()
			return err
		}
	}
	for _, after := range tx.after {
		after()
	}
	return nil
}

// rollback ends a transaction without keeping it.
func (tx *Tx) rollback() {
	tx.late = nil
	if tx.open || tx.db.engine == SQLite {
		tx.Exec("ROLLBACK")
	}
}

// copyIn streams rows with COPY, the fastest way into PostgreSQL (it knows no ON CONFLICT).
func (tx *Tx) copyIn(table string, columns []string, n int, row func(i int) []any) error {
	if err := tx.flush(); err != nil {
		return err
	}
	tx.db.trips.Add(3)
	err := tx.link.conn.Raw(func(dc any) error {
		c := dc.(*stdlib.Conn).Conn()
		_, err := c.CopyFrom(tx.ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
		return err
	})
	return translate(err)
}

// notice is what travels between nodes.
type notice struct {
	Node, Topic, Body string
}

const channelName = "doorstep"

// startRelay carries hints between nodes by LISTEN/NOTIFY. A NOTIFY takes a lock on the whole database at commit, so hints
// are sent outside the writers' transactions, gathered for 20 ms, each once.
func (db *DB) startRelay(pool *pgxpool.Pool) {
	ctx, cancel := context.WithCancel(context.Background())
	node := fmt.Sprintf("%x", rand.Uint64())
	out := make(chan notice, 1024)
	db.bus.relay = func(topic, body string) {
		select {
		case out <- notice{node, topic, body}:
		default: // a hint may be lost
		}
	}
	sent, heard := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		for {
			pending := map[notice]bool{}
			select {
			case n := <-out:
				pending[n] = true
			case <-ctx.Done():
				return
			}
			gather := time.After(20 * time.Millisecond)
		more:
			for len(pending) < 200 {
				select {
				case n := <-out:
					pending[n] = true
				case <-gather:
					break more
				case <-ctx.Done():
					return
				}
			}
			batch := &pgx.Batch{}
			for n := range pending {
				body, _ := json.Marshal(n)
				batch.Queue("SELECT pg_notify($1, $2)", channelName, string(body))
			}
			pool.SendBatch(ctx, batch).Close()
		}
	}()
	go func() {
		defer close(heard)
		for ctx.Err() == nil {
			db.hear(ctx, pool, node)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
	}()
	db.bus.stops = append(db.bus.stops, func() { cancel(); <-sent; <-heard })
}

func (db *DB) hear(ctx context.Context, pool *pgxpool.Pool, node string) {
	pooled, err := pool.Acquire(ctx)
	if err != nil {
		return
	}
	conn := pooled.Hijack()
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx, "LISTEN "+channelName); err != nil {
		return
	}
	for {
		got, err := conn.WaitForNotification(ctx)
		if err != nil {
			return
		}
		var n notice
		if json.Unmarshal([]byte(got.Payload), &n) == nil && n.Node != node {
			db.bus.local(n.Topic, n.Body)
		}
	}
}

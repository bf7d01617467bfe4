// Package pgcluster starts a PostgreSQL of our own in a temporary folder, for tests and benchmarks.
package pgcluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"doorstep/internal/store"
)

// Cluster is a running PostgreSQL of our own.
type Cluster struct {
	dir  string
	n    atomic.Int64
	mu   sync.Mutex
	stop func()
}

// URL answers the address of a database in the cluster.
func (c *Cluster) URL(name string) string {
	return "postgres:///" + name + "?host=" + c.dir + "&user=doorstep&pool_max_conns=20"
}

// Stop ends the cluster and removes its folder.
func (c *Cluster) Stop() { c.stop() }

// Database makes an empty database and answers its address and a function that drops it.
func (c *Cluster) Database() (url string, drop func(), err error) {
	name := fmt.Sprintf("t%d", c.n.Add(1))
	if out, err := c.psql("CREATE DATABASE " + name + " STRATEGY FILE_COPY"); err != nil {
		return "", nil, fmt.Errorf("create database: %w: %s", err, out)
	}
	return c.URL(name), func() { c.psql("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") }, nil
}

func (c *Cluster) psql(sql string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cmd := exec.Command(tool("psql"), "-h", c.dir, "-U", "doorstep", "-d", "postgres", "-qc", sql)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tool finds a PostgreSQL program; Debian keeps most of them off the PATH.
func tool(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	return name
}

// Start makes and starts a cluster in a temporary folder, on a Unix socket only. It ends when this process does, however
// that ends: a shell holds a pipe from us, and tidies up when it breaks. durable keeps fsync on (for benchmarks).
func Start(durable bool) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "doorstep-pg-")
	if err != nil {
		return nil, err
	}
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 { // initdb refuses root
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	run := func(stdin *os.File, name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.SysProcAttr = dir, attr
		if stdin != nil {
			cmd.Stdin = stdin
		}
		return cmd
	}
	if out, err := run(nil, tool("initdb"), "--no-sync", "-A", "trust", "--locale=C.UTF-8", "-U", "doorstep", "-D", dir+"/data").CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	settings := "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
	if durable {
		settings = "-c shared_buffers=512MB -c max_wal_size=4GB"
	}
	script := fmt.Sprintf(`%s -D %s/data -c listen_addresses= -c unix_socket_directories=%s -c max_connections=300 %s >%s/log 2>&1 &
p=$!; read x; kill -QUIT $p; wait $p; rm -rf %s`, tool("postgres"), dir, dir, settings, dir, dir)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	shell := run(r, "/bin/sh", "-c", script)
	if err := shell.Start(); err != nil {
		return nil, err
	}
	r.Close()
	c := &Cluster{dir: dir, stop: sync.OnceFunc(func() { w.Close(); shell.Wait() })}
	for deadline := time.Now().Add(30 * time.Second); ; {
		db, err := store.Open(context.Background(), c.URL("postgres"), store.Options{})
		if err == nil {
			db.Close()
			return c, nil
		}
		if time.Now().After(deadline) {
			c.Stop()
			return nil, fmt.Errorf("PostgreSQL did not start: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

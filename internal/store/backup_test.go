package store

import "testing"

func TestToolAddress(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"postgres://dana:s%40cret@db:5432/doorstep?sslmode=require", "postgres://dana@db:5432/doorstep?sslmode=require", "s@cret"},
		{"postgres://db/doorstep?user=dana&password=s+e&sslmode=require", "postgres://db/doorstep?sslmode=require&user=dana", "s e"},
		{"postgres://dana@db/doorstep", "postgres://dana@db/doorstep", ""},
		{"postgres://db/doorstep?pool_max_conns=20&sslmode=require", "postgres://db/doorstep?sslmode=require", ""},
		{"postgres:///doorstep?host=%2Ftmp", "postgres:///doorstep?host=%2Ftmp", ""},
	} {
		if bare, password := toolAddress(c[0]); bare != c[1] || password != c[2] {
			t.Errorf("%s: %s and %q, want %s and %q", c[0], bare, password, c[1], c[2])
		}
	}
}
